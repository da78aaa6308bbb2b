"""Figures: one layout computed once, painted for the screen (Plotly) and for paper (Matplotlib)."""

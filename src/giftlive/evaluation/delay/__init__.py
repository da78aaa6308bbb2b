"""Treatments of late labels compared where the truth is known."""

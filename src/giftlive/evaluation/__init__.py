"""Policies against a world with known truth: rollouts, bounds, comparisons and gates."""

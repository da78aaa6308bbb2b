"""Statistics that take arrays and nothing else.

Intervals that carry a status instead of a silent NaN, a bootstrap whose chunks merge exactly,
sums that do not depend on the order of their terms, measures of concentration and of heavy
tails, and the rule that says when an interval may be printed at all.
"""

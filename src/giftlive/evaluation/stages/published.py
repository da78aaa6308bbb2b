"""What the first reports published, by arm and metric; most of it with the label in the features.

"Top-1 %" there is the overlap of the two tops. 54.5 and 35.8 % are published for the direct model
and the two stages, in this order; the other headline numbers do not name their arm and stand with
the direct model, PR-AUC and ECE with the two stages, whose probability they judge.
"""

from __future__ import annotations

PUBLISHED: dict[tuple[str, str], float] = {
    ("direct", "overlap@1 %"): 0.545,
    ("staged", "overlap@1 %"): 0.358,
    ("staged", "PR-AUC"): 0.646,
    ("staged", "ECE"): 0.018,
}
"""(side, metric) -> published value, the leak in it."""

HEADLINE = 0.562
"""The published Top-1 % overlap of the direct model's headline run."""

LEAK_FREE = {"capture@1 %": 0.514, "capture@10 %": 0.686}
"""The published captures of ridge on day-frozen features: the only ones without the leak."""

PUBLISHED_ECE_RULE = 0.02
"""The published rule asked for an ECE lower by more than this; the base rate is below it."""

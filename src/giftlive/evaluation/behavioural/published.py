"""What is published about rankers on day-frozen features, by the cell it stands beside.

Rows are clicks of the last days, features are frozen at midnight, and one gift is counted for
every click of its viewing: 1.93 % of 4,909,515 clicks are positive, about 94,800, and there are
72,646 gifts. Results that contain whole-period sums leak the label and are left out on purpose.
"""

from __future__ import annotations

PUBLISHED: dict[tuple[str, str, str], float] = {
    ("order", "user_past_spend", "capture@1 %"): 0.37,
    ("order", "user_past_spend", "capture@10 %"): 0.66,
    ("order", "ridge", "capture@1 %"): 0.514,
    ("order", "ridge", "capture@10 %"): 0.686,
    ("labels", "user_past_spend", "every click"): 0.37,
    ("labels", "ridge", "every click"): 0.514,
    ("rows", "pair without a gift", "share of the amount"): 0.561,
    ("rows", "pair with a gift", "share of the clicks"): 0.0425,
    ("slices", "pair without a gift / ridge", "capture@1 %"): 0.296,
    ("double", "clicks with a gift, every click", "value"): 0.0193,
    ("double", "clicks with a gift / gifts, every click", "value"): 94_800 / 72_646,
    ("gains", "ridge - user_past_spend", "capture@1 %"): 0.514 - 0.37,
    ("gains", "ridge - user_past_spend", "capture@10 %"): 0.686 - 0.66,
}
"""(table, row, column) -> published value. The 29.6 % is published without the model's name."""

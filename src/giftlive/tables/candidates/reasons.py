"""Why a room is a candidate: one bit per reason, written to files as words.

Several reasons may hold at once (``gifted+popular``), except ``uniform``: it is drawn among the
rooms that no other reason brought.
"""

from __future__ import annotations

REASONS = ("gifted", "entered", "popular", "category", "newcomer", "uniform")
"""Bit 0 first:

- gifted: a streamer to whom the user gave before, the latest first
- entered: a streamer whose room the user entered before, the latest first
- popular: most entered in the last hour
- category: most entered in the last hour within the user's favourite category
- newcomer: the streamer was first on air at most a day ago, the freshest room first
- uniform: drawn at random among all other live rooms
"""

GIFTED, ENTERED, POPULAR, CATEGORY, NEWCOMER, UNIFORM = (1 << bit for bit in range(6))

WORDS = tuple(
    "+".join(name for bit, name in enumerate(REASONS) if mask >> bit & 1)
    for mask in range(1 << len(REASONS))
)
"""Text of every set of bits; the empty text stands for a room that was shown but not retrieved."""

"""Limits that are shares rather than chances, each with the reason for its size."""

from __future__ import annotations

ROW_LIMIT = 0.001
"""Share of a table's rows that may be touched before its counts are called wrong.

A tenth of what an ingest may set aside (``ingest.max_reject_share``, 1 %); the chance of even one
such row is 0 in clean logs, so that the limit is about harm and not about chance.
"""
MAJORITY = 0.5
"""Above it one user's money is more than all other money: a ratio of sums speaks of that user."""
OVERWHELMING = 0.99
"""Above it one user gave a hundred times what all others did: a defect whatever their tail.

Where the others' tail is very heavy it explains any maximum; sums of money with that user are
still a hundred times those without.
"""

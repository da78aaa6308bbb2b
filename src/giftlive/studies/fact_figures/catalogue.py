"""Which figures there are, in the order of the page, and what each needs."""

from __future__ import annotations

from collections.abc import Callable

from giftlive.evaluation.results import Figure
from giftlive.facts import FactBook
from giftlive.studies.fact_figures import clock, crowd, funnel, history, money
from giftlive.studies.fact_figures.pieces import filled

Maker = Callable[[FactBook, str], Figure]

MAKERS: tuple[tuple[str, str, Maker], ...] = (
    ("amount_ccdf", "amount_p50", money.tail),
    ("hill_by_threshold", "amount_p50", money.thresholds),
    ("price_atoms", "price_atom_top5_share", money.atoms),
    ("lorenz_user", "user_gini", money.lorenz),
    ("top_share", "user_top1_share", money.tops),
    ("funnel", "gift_rows_per_click", funnel.stages),
    ("funnel", "gift_sessions_per_session", funnel.rates),
    ("watch_buckets", "revenue_share_watch_gt300", funnel.watch),
    ("first_gift_position", "first_gift_position_p50", funnel.first_gift),
    ("gift_lag", "gifts_with_click_timestamp", funnel.delay),
    ("pair_history_rates", "gift_rate_pair_with_history", history.slices),
    ("cold_start", "gift_rate_user_with_history", history.cold_start),
    ("repeat_structure", "gifting_pairs_repeat_share", history.repeats),
    ("loyalty_by_gifts", "gift_count_loyalty_mean", history.loyalty),
    ("quadrant_user", "user_quadrant_high_watch_low_pay", crowd.user_quadrant),
    ("quadrant_streamer", "streamer_quadrant_high_watch_low_income", crowd.streamer_quadrant),
    ("gifts_by_exposure", "streamers_below_5_interactions", crowd.exposure),
    ("category_mix", "category_count", crowd.categories),
    ("hour_weekday", "amount_p50", clock.week),
    ("hour_weekday", "amount_p50", clock.hours),
    ("daily_volume", "amount_p50", clock.volume),
    ("retention", "retention_d1", clock.retention),
)
"""Curve, a fact without which there is nothing to draw, and who draws it."""


def fact_figures(book: FactBook, unit: str) -> tuple[Figure, ...]:
    """Return a figure for every curve that has rows; ``unit`` is the source's money."""
    return tuple(
        make(book, unit)
        for curve, fact, make in MAKERS
        if book.fact(fact).status == "ok" and filled(book.curves.get(curve))
    )

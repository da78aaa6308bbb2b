"""Figures of the comparison: errors in tolerances, amounts, concentration, watch, behaviours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from giftlive.evaluation.fidelity import BEHAVIOURS, CALIBRATED, ROUNDS, Comparison, Score
from giftlive.evaluation.results import Figure, Series
from giftlive.types import Message

EDGE = 8.0
"""Errors beyond so many tolerances are drawn here."""

PUBLISHED = "published"
WORLDS = (CALIBRATED, *ROUNDS)
BUCKETS = {"lt5": "< 5 s", "5to30": "5-30 s", "30to300": "30-300 s", "gt300": "> 300 s"}

By = dict[str, Score]


def fidelity_figures(found: Comparison) -> tuple[Figure, ...]:
    """Return every figure whose numbers there are."""
    scores = {world: by_fact(found.scores(world)) for world in WORLDS}
    figures = (
        _errors(found, scores, shared=True),
        _errors(found, scores, shared=False),
        _amounts(found, scores),
        _concentration(found, scores),
        _watch(found, scores),
        _behaviours(found, scores),
    )
    return tuple(figure for figure in figures if figure is not None)


def by_fact(scores: Iterable[Score]) -> By:
    """Return the scores that have a number, by fact."""
    return {score.fact: score for score in scores if score.mean is not None}


def held(distance: float) -> float:
    """Return a distance in tolerances as it is drawn.

    Examples
    --------
    >>> held(-0.5), held(math.inf), held(-40.0)
    (-0.5, 8.0, -8.0)
    """
    return min(max(distance, -EDGE), EDGE)


def _words(name: str) -> dict[str, Message]:
    key = f"study.world_fidelity.figure.{name}"
    return {"shows": Message(f"{key}.shows", {}), "follows": Message(f"{key}.follows", {})}


def _seeds(found: Comparison) -> str:
    return f"mean of {len(found.seeds)} seeds, whiskers 2 standard errors"


def _series(
    world: str, facts: Sequence[tuple[str, str]], by: By, height: Callable[[Score, float], float]
) -> Series | None:
    """Return the dots of ``world`` at (place, fact), with two standard errors on either side."""
    there = [(place, by[fact]) for place, fact in facts if fact in by]
    if not there:
        return None
    ends = [_around(score) for _, score in there]
    return Series(
        name=world,
        x=tuple(place for place, _ in there),
        y=tuple(height(score, score.mean or 0.0) for _, score in there),
        style="dots",
        low=tuple(height(s, low) for (_, s), (low, _) in zip(there, ends, strict=True)),
        high=tuple(height(s, high) for (_, s), (_, high) in zip(there, ends, strict=True)),
        n=tuple(len(score.values) for _, score in there),
    )


def _around(score: Score) -> tuple[float, float]:
    mean = score.mean or 0.0
    return mean - 2.0 * score.se, mean + 2.0 * score.se


def _as_it_is(_: Score, value: float) -> float:
    return value


def _in_tolerances(score: Score, value: float) -> float:
    return held(score.in_tolerances(value - score.published))


def _of_published(score: Score, value: float) -> float:
    return value / score.published


def _errors(found: Comparison, scores: dict[str, By], *, shared: bool) -> Figure | None:
    """Draw the errors of what the worlds in rounds have too, or of what only a clock gives."""
    in_rounds = {fact for name in ROUNDS for fact in scores[name]}
    facts = [
        (fact, fact)
        for fact, score in scores[CALIBRATED].items()
        if score.target.gated(found.scale) and (fact in in_rounds) is shared
    ]
    if not facts:
        return None
    drawn = [_series(w, facts, scores[w], _in_tolerances) for w in (WORLDS if shared else WORLDS[:1])]
    names = tuple(name for name, _ in facts)
    zeros = tuple(0.0 for _ in names)
    band = Series(
        "within tolerance", names, zeros, "reference",
        tuple(-1.0 for _ in names), tuple(1.0 for _ in names),
    )  # fmt: skip
    told = ", ".join(
        f"{_passing(scores[w], names)} of {_having(scores[w], names)} in {_the(w)}"
        for w in (WORLDS if shared else WORLDS[:1])
    )
    what = "sizes, amounts and watch times" if shared else "pairs, sessions, days and rooms"
    name = "errors" if shared else "errors_clocked"
    return Figure(
        name=name,
        title=f"Numbers within tolerance ({what}): {told}",
        subtitle=f"(world - published) / tolerance, {_seeds(found)}; tolerance shaded; "
        f"beyond {EDGE:g} drawn at {EDGE:g}",
        x_label="quantity",
        y_label="error in tolerances",
        series=(*(s for s in drawn if s is not None), band),
        x_scale="category",
        horizontal=True,
        **_words(name),
    )


def _the(world: str) -> str:
    return "the calibrated world" if world == CALIBRATED else world


def _passing(by: By, facts: Sequence[str]) -> int:
    return sum(by[fact].within for fact in facts if fact in by)


def _having(by: By, facts: Sequence[str]) -> int:
    return sum(fact in by for fact in facts)


def published_series(facts: Sequence[tuple[str, str]], by: By, style: str = "bars") -> Series:
    """Return what is published at (place, fact), with its tolerance on either side."""
    there = [(place, by[fact]) for place, fact in facts if fact in by]
    bars = style == "bars"
    return Series(
        name=PUBLISHED,
        x=tuple(place for place, _ in there),
        y=tuple(score.published for _, score in there),
        style="bars" if bars else "line",
        low=tuple(max(score.published - score.limit, 0.0) for _, score in there),
        high=tuple(score.published + score.limit for _, score in there),
    )


def _beside(
    found: Comparison,
    scores: dict[str, By],
    facts: Sequence[tuple[str, str]],
    published: Series,
) -> tuple[Series, ...]:
    drawn = (_series(world, facts, scores[world], _as_it_is) for world in WORLDS)
    return (published, *(series for series in drawn if series is not None))


def _amounts(found: Comparison, scores: dict[str, By]) -> Figure | None:
    facts = [(f"{p} %", f"amount_p{p}") for p in (50, 75, 90, 95, 99)]
    here = scores[CALIBRATED]
    if not all(fact in here for _, fact in facts):
        return None
    last = here["amount_p99"]
    return Figure(
        name="amount_quantiles",
        title=f"One gift in a hundred is above {last.mean or 0.0:,.0f} in the calibrated world;"
        f" published is {last.published:,.0f}",
        subtitle=f"quantiles of the gift amount; {_seeds(found)}; published with its tolerance",
        x_label="share of the gifts at or below",
        y_label="gift amount (platform units)",
        series=_beside(found, scores, facts, published_series(facts, here, "line")),
        x_scale="category",
        y_scale="log",
        **_words("amounts"),
    )


def _concentration(found: Comparison, scores: dict[str, By]) -> Figure | None:
    facts = [
        (f"{whose}s, {text}", f"{whose}_{what}")
        for whose in ("user", "streamer")
        for what, text in (
            *((f"top{p}_share", f"top {p} %") for p in (1, 5, 10)),
            ("gini", "Gini"),
        )
    ]
    here = scores[CALIBRATED]
    if "user_top1_share" not in here:
        return None
    top = here["user_top1_share"]
    return Figure(
        name="concentration",
        title=f"The top 1 % of givers bring {top.mean or 0.0:.0%} of the amount in the calibrated"
        f" world; published is {top.published:.0%}",
        subtitle="share of the amount, and Gini, over those who gave or received;"
        f" bars published with tolerance; {_seeds(found)}",
        x_label="part of the population",
        y_label="share of the amount, or Gini",
        series=_beside(found, scores, facts, published_series(facts, here)),
        x_scale="category",
        horizontal=True,
        **_words("concentration"),
    )


def _watch(found: Comparison, scores: dict[str, By]) -> Figure | None:
    facts = [
        (f"{what}, {text}", f"{kind}_share_watch_{bucket}")
        for kind, what in (("click", "clicks"), ("revenue", "amount"))
        for bucket, text in BUCKETS.items()
    ]
    here = scores[CALIBRATED]
    if not all(fact in here for _, fact in facts):
        return None
    long = here["revenue_share_watch_gt300"]
    return Figure(
        name="watch_buckets",
        title=f"Viewings over 300 s bring {long.mean or 0.0:.0%} of the amount in the calibrated"
        f" world; published is {long.published:.0%}",
        subtitle="share of the clicks and of the amount by watch time; bars published with"
        f" tolerance; {_seeds(found)}",
        x_label="clicks or amount, watch time",
        y_label="share",
        series=_beside(found, scores, facts, published_series(facts, here)),
        x_scale="category",
        horizontal=True,
        **_words("watch"),
    )


def _behaviours(found: Comparison, scores: dict[str, By]) -> Figure | None:
    here = scores[CALIBRATED]
    facts = [(f, f) for f, s in here.items() if s.target.name in BEHAVIOURS and s.published]
    pair = [next((f for f, _ in facts if f.startswith(f"gift_rate_pair_{w}_")), "") for w in _WITH]
    if not all(pair):
        return None
    ours = (here[pair[0]].mean or 0.0) / (here[pair[1]].mean or 1.0)
    theirs = here[pair[0]].published / here[pair[1]].published
    allowed = tuple(here[fact].limit / here[fact].published for fact, _ in facts)
    tolerance = Series(
        name=PUBLISHED,
        x=tuple(place for place, _ in facts),
        y=tuple(1.0 for _ in facts),
        style="dots",
        low=tuple(max(1.0 - a, 0.0) for a in allowed),
        high=tuple(1.0 + a for a in allowed),
    )
    drawn = (_series(world, facts, scores[world], _of_published) for world in WORLDS)
    return Figure(
        name="behaviours",
        title=f"A pair with an earlier gift gives {ours:.1f} times as often in the calibrated"
        f" world; published is {theirs:.1f} times",
        subtitle=f"world / published; {_seeds(found)}; published with its tolerance",
        x_label="behaviour that no coefficient sets",
        y_label="multiple of the published value",
        series=(tolerance, *(series for series in drawn if series is not None)),
        x_scale="category",
        horizontal=True,
        **_words("behaviours"),
    )


_WITH = ("with", "without")

"""Figures of the comparison: errors in tolerances, amounts, concentration, watch, behaviours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from giftlive.evaluation.fidelity import BEHAVIOURS, CALIBRATED, ROUNDS, Comparison, Score
from giftlive.evaluation.results import Figure, Series, Style
from giftlive.studies.fact_figures.pieces import percent
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


def spoken(fact: str) -> str:
    """Return the name of a fact as words, which can be broken into lines."""
    plain = fact.removesuffix("_utc").replace("_", " ")
    return f"{plain} (UTC days)" if fact.endswith("_utc") else plain


def held(distance: float) -> float:
    """Return a distance in tolerances as it is drawn.

    Examples
    --------
    >>> held(-0.5), held(float("inf")), held(-40.0)
    (-0.5, 8.0, -8.0)
    """
    return min(max(distance, -EDGE), EDGE)


def _words(name: str, role: str) -> Message:
    return Message(f"study.world_fidelity.figure.{name}.{role}", {})


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
        (spoken(fact), fact)
        for fact, score in scores[CALIBRATED].items()
        if score.target.gated(found.scale) and (fact in in_rounds) is shared
    ]
    if not facts:
        return None
    worlds = WORLDS if shared else WORLDS[:1]
    drawn = [_series(w, facts, scores[w], _in_tolerances) for w in worlds]
    names, keys = tuple(name for name, _ in facts), [fact for _, fact in facts]
    zeros = tuple(0.0 for _ in names)
    band = Series(
        "within tolerance", names, zeros, "reference",
        tuple(-1.0 for _ in names), tuple(1.0 for _ in names),
    )  # fmt: skip
    told = ", ".join(
        f"{_passing(scores[w], keys)} of {_having(scores[w], keys)} in {_the(w)}" for w in worlds
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
        shows=_words(name, "shows"),
        follows=_words(name, "follows"),
    )


def _the(world: str) -> str:
    return "the calibrated world" if world == CALIBRATED else world


def _passing(by: By, facts: Sequence[str]) -> int:
    return sum(by[fact].within for fact in facts if fact in by)


def _having(by: By, facts: Sequence[str]) -> int:
    return sum(fact in by for fact in facts)


def _published(
    facts: Sequence[tuple[str, str]],
    by: By,
    height: Callable[[Score, float], float],
    style: Style = "dots",
) -> Series:
    """Return what is published at (place, fact), with its tolerance on either side."""
    there = [(place, by[fact]) for place, fact in facts if fact in by]
    return Series(
        name=PUBLISHED,
        x=tuple(place for place, _ in there),
        y=tuple(height(s, s.published) for _, s in there),
        style=style,
        low=tuple(height(s, max(s.published - s.limit, 0.0)) for _, s in there),
        high=tuple(height(s, s.published + s.limit) for _, s in there),
    )


def _beside(
    scores: dict[str, By],
    facts: Sequence[tuple[str, str]],
    height: Callable[[Score, float], float] = _as_it_is,
    style: Style = "dots",
) -> tuple[Series, ...]:
    """Return what is published and the dots of every world."""
    drawn = (_series(world, facts, scores[world], height) for world in WORLDS)
    published = _published(facts, scores[CALIBRATED], height, style)
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
        series=_beside(scores, facts, style="line"),
        x_scale="category",
        y_scale="log",
        shows=_words("amounts", "shows"),
        follows=_words("amounts", "follows"),
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
        title=f"The top 1 % of givers bring {percent(top.mean or 0.0)} of the amount in the"
        f" calibrated world; published is {percent(top.published)}",
        subtitle="share of the amount, and Gini, over those who gave or received;"
        f" published with tolerance; {_seeds(found)}",
        x_label="part of the population",
        y_label="share of the amount, or Gini",
        series=_beside(scores, facts),
        x_scale="category",
        horizontal=True,
        shows=_words("concentration", "shows"),
        follows=_words("concentration", "follows"),
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
        title=f"Viewings over 300 s bring {percent(long.mean or 0.0)} of the amount in the"
        f" calibrated world; published is {percent(long.published)}",
        subtitle="share of the clicks and of the amount by watch time; published with"
        f" tolerance; {_seeds(found)}",
        x_label="clicks or amount, watch time",
        y_label="share",
        series=_beside(scores, facts),
        x_scale="category",
        horizontal=True,
        shows=_words("watch", "shows"),
        follows=_words("watch", "follows"),
    )


def _behaviours(found: Comparison, scores: dict[str, By]) -> Figure | None:
    """Draw what no coefficient sets; the watch buckets have a figure of their own."""
    here = scores[CALIBRATED]
    facts = [
        (spoken(fact), fact)
        for fact, score in here.items()
        if score.target.name in BEHAVIOURS and len(score.target.value) == 1 and score.published
    ]
    rates = [here.get(f"gift_rate_pair_{w}_history_utc") for w in ("with", "without")]
    if rates[0] is None or rates[1] is None or not rates[1].mean:
        return None
    ours, theirs = (rates[0].mean or 0.0) / rates[1].mean, rates[0].published / rates[1].published
    return Figure(
        name="behaviours",
        title=f"A pair with an earlier gift gives {ours:.1f} times as often in the calibrated"
        f" world; published is {theirs:.1f} times",
        subtitle=f"world / published; {_seeds(found)}; published with its tolerance",
        x_label="behaviour that no coefficient sets",
        y_label="multiple of the published value",
        series=_beside(scores, facts, _of_published),
        x_scale="category",
        horizontal=True,
        shows=_words("behaviours", "shows"),
        follows=_words("behaviours", "follows"),
    )

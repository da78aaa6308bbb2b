"""The features, each declared once: name, group, definition, unit, as-of rule, expression.

A feature of a history group is an :mod:`expression <giftlive.tables.features.expression>` over
the state columns of :mod:`giftlive.tables.features.state`. ``context`` features are columns of
the probe, ``room_profile``, ``user_profile`` and ``streamer_profile`` features one raw column,
replaced by its ordinal code. The data dictionary is generated from these declarations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from giftlive.tables.features.expression import Expression, Ratio, Seconds, Shrunk, Since, State
from giftlive.tables.features.planted import FORESIGHT
from giftlive.tables.features.state import ACTORS, HALF_LIVES_MS, HEAT_MS

KNOWN_BEFORE = "events with known_ts < as_of_ts"
BEFORE_TODAY = "events known before the local day began"
TODAY = "events of the local day with known_ts < as_of_ts"
AT_ENTRY = "ts itself"
STATIC = "fixed before the decision"
FIRST_WINDOW = "events with ts <= known_ts < as_of_ts, as_of_ts = ts + dwell"
SNAPSHOT = "snapshot of the last day: not known at ts"

GIFTS = ("gift", "gift_anonymous")


@dataclass(frozen=True)
class Feature:
    """One column of the sample table.

    Attributes
    ----------
    name : column name. group : what it is a property of. definition : one sentence.
    unit : of the value. as_of : which events may enter. value : see the module.
    needs : tables the source must have for the column to mean anything (any one suffices).
    """

    name: str
    group: str
    definition: str
    unit: str
    as_of: str
    value: Expression
    needs: tuple[str, ...] = ()


_OF = {
    "pair": "from this user to this streamer",
    "user": "by this user",
    "streamer": "with this streamer",
    "room": "in this room",
    "taste": "by this user in rooms of this category",
}


def _sums(group: str) -> Iterator[Feature]:
    """Yield count, sum, mean, recency of the whole past."""
    g, of = f"{group}_", _OF[group]
    gift = GIFTS if group in ("streamer", "room") else ("gift",)
    yield from (
        Feature(f"{g}{name}", group, f"{what} {of}", unit, KNOWN_BEFORE, value, needs)
        for name, what, unit, value, needs in (
            ("gift_count", "gifts", "gifts", State(f"{g}gift_count"), gift),
            ("gift_sum", "amount of gifts", "amount", State(f"{g}gift_sum"), gift),
            (
                *("gift_mean", "mean amount of gifts (0 without any)", "amount per gift"),
                *(Ratio(f"{g}gift_sum", f"{g}gift_count"), gift),
            ),
            (
                *("gift_recency_seconds", "seconds since the last gift became known (-1: none)"),
                *("s", Since(f"{g}last_gift_ts"), gift),
            ),
            ("click_count", "entries", "clicks", State(f"{g}click_count"), ("click",)),
            (
                *("click_recency_seconds", "seconds since the last entry (-1: none)", "s"),
                *(Since(f"{g}last_click_ts"), ("click",)),
            ),
            (
                *("watch_seconds", "time watched in viewings that have ended", "s"),
                *(Seconds(f"{g}watch_ms"), ("click",)),
            ),
            ("comment_count", "comments", "comments", State(f"{g}comment_count"), ("comment",)),
            ("like_count", "likes", "likes", State(f"{g}like_count"), ("like",)),
        )
    )


def _decayed(group: str) -> Iterator[Feature]:
    """Yield sums in which an event counts half after every half-life."""
    gift = GIFTS if group == "streamer" else ("gift",)
    for what, unit, noun, needs in (
        ("click", "clicks", "entries", ("click",)),
        ("gift", "amount", "amount of gifts", gift),
    ):
        for half_life in HALF_LIVES_MS:
            yield Feature(
                f"{group}_{what}_{half_life}",
                group,
                f"{noun} {_OF[group]}, halved every {half_life} since it became known",
                unit,
                KNOWN_BEFORE,
                State(f"{group}_{what}_{half_life}"),
                needs,
            )


def _today(group: str) -> Iterator[Feature]:
    gift = GIFTS if group == "streamer" else ("gift",)
    for name, noun, unit, value, needs in (
        ("click_today", "entries", "clicks", State(f"{group}_click_today"), ("click",)),
        (
            *("watch_seconds_today", "time watched in viewings that ended", "s"),
            *(Seconds(f"{group}_watch_ms_today"), ("click",)),
        ),
        ("gift_today", "amount of gifts", "amount", State(f"{group}_gift_today"), gift),
    ):
        definition = f"{noun} {_OF[group]} since local midnight"
        yield Feature(f"{group}_{name}", group, definition, unit, TODAY, value, needs)


def _shrunk(group: str) -> Iterator[Feature]:
    """Yield rates per entry, shrunk to what was usual before the day began."""
    g, strength = f"{group}_", f"{group}_strength"
    both = ("gift", "gift_anonymous")
    for name, what, unit, count, prior in (
        ("gift_rate", "gifts per entry", "gifts per click", "gift_count", "gift_rate"),
        ("gift_value", "amount per entry", "amount per click", "gift_sum", "gift_value"),
    ):
        yield Feature(
            f"{g}{name}",
            group,
            f"{what} {_OF[group]}, shrunk to the mean over all of them",
            unit,
            f"{KNOWN_BEFORE}; the mean: {BEFORE_TODAY}",
            Shrunk(f"{g}{count}", (f"{g}click_count",), f"{g}prior_{prior}", strength),
            both,
        )


def _entering(group: str) -> Iterator[Feature]:
    """Yield how often those who were shown entered, as known when the day began."""
    g = f"{group}_"
    shown = (f"{g}entered_count", f"{g}negative_count")
    yield Feature(
        f"{g}negative_count",
        group,
        f"times shown and not entered {_OF[group]}",
        "negatives",
        BEFORE_TODAY,
        State(f"{g}negative_count"),
        ("negative",),
    )
    yield Feature(
        f"{g}enter_rate",
        group,
        f"entries per exposure {_OF[group]}, shrunk to the mean over all of them",
        "clicks per exposure",
        BEFORE_TODAY,
        Shrunk(f"{g}entered_count", shown, f"{g}prior_enter_rate", f"{g}enter_strength"),
        ("negative",),
    )


def _heat() -> Iterator[Feature]:
    for span in HEAT_MS:
        yield Feature(
            f"streamer_click_{span}",
            "streamer",
            f"entries with this streamer in the last {span}",
            "clicks",
            KNOWN_BEFORE,
            State(f"streamer_click_{span}"),
            ("click",),
        )
        yield Feature(
            f"streamer_gift_{span}",
            "streamer",
            f"amount of gifts with this streamer in the last {span}",
            "amount",
            KNOWN_BEFORE,
            State(f"streamer_gift_{span}"),
            GIFTS,
        )


_EFFICIENCY = Feature(
    "streamer_efficiency",
    "streamer",
    "share of streamers with less amount of gifts per time watched (-1: never watched)",
    "share",
    BEFORE_TODAY,
    State("streamer_efficiency"),
    ("click",),
)

_EXCLUSIVITY = (
    Feature(
        "pair_gift_share",
        "pair",
        "share of this user's gift amount that went to this streamer (0 without any)",
        "share",
        KNOWN_BEFORE,
        Ratio("pair_gift_sum", "user_gift_sum"),
        ("gift",),
    ),
    Feature(
        "pair_watch_share",
        "pair",
        "share of this user's time watched that went to this streamer (0 without any)",
        "share",
        KNOWN_BEFORE,
        Ratio("pair_watch_ms", "user_watch_ms"),
        ("click",),
    ),
)

_ROOM_SUMS = ("gift_count", "gift_sum", "click_count", "comment_count", "like_count")
_TASTE_SUMS = ("click_count", "watch_seconds", "gift_sum")

_ROOM = (
    *(f for f in _sums("room") if f.name.removeprefix("room_") in _ROOM_SUMS),
    Feature(
        "room_age_seconds",
        "room",
        "seconds since the room opened (-1 unknown)",
        "s",
        STATIC,
        Since("room_start_ts"),
        ("room",),
    ),
)

_TASTE = tuple(
    Feature(f.name, f.group, f.definition, f.unit, f.as_of, f.value, ("room",))
    for f in _sums("taste")
    if f.name.removeprefix("taste_") in _TASTE_SUMS
)

_CONTEXT = (
    Feature(
        "hour", "context", "hour of the day in the source's zone", "h", AT_ENTRY, State("hour")
    ),
    Feature("weekday", "context", "weekday, Monday = 0", "day", AT_ENTRY, State("weekday")),
)


def _profile(entity: str, columns: str, as_of: str = STATIC) -> tuple[Feature, ...]:
    return tuple(
        Feature(
            f"{entity}_{column}",
            f"{entity}_profile",
            f"{column} of the {entity}, ordinal (-1 unknown)",
            "code",
            as_of,
            State(column),
            (entity,),
        )
        for column in columns.split()
    )


FEATURES: tuple[Feature, ...] = (
    *(f for g in ACTORS for f in (*_sums(g), *_decayed(g), *_today(g), *_shrunk(g))),
    *(f for g in ("user", "streamer") for f in _entering(g)),
    *_heat(),
    _EFFICIENCY,
    *_EXCLUSIVITY,
    *_ROOM,
    *_TASTE,
    *_CONTEXT,
    *_profile("room", "live_type category"),
    *_profile("user", "age gender device_brand device_price is_live_streamer is_photo_author"),
    *_profile("streamer", "age gender device_brand device_price"),
)
"""Everything in it is known strictly before the decision."""

SNAPSHOT_FEATURES: tuple[Feature, ...] = (
    *_profile("user", "fans_num follow_num accu_watch_live_cnt accu_watch_live_duration", SNAPSHOT),
    *_profile(
        "streamer",
        "fans_user_num fans_group_fans_num follow_user_num accu_live_cnt accu_live_duration "
        "accu_play_cnt accu_play_duration",
        SNAPSHOT,
    ),
)
"""Columns measured at the end of the data; only ``TableOptions(strict=False)`` lets them in."""

FIRST_WINDOW_FEATURES: tuple[Feature, ...] = (
    Feature(
        "first_window_watch_seconds",
        "first_window",
        "time watched of the first seconds of this viewing, at most the dwell",
        "s",
        FIRST_WINDOW,
        Seconds("first_window_watch_ms"),
        ("click",),
    ),
    *(
        Feature(
            f"first_window_{name}",
            "first_window",
            f"{noun} by this user in this room since the entry",
            unit,
            FIRST_WINDOW,
            State(f"first_window_{name}"),
            needs,
        )
        for name, noun, unit, needs in (
            ("comment_count", "comments", "comments", ("comment",)),
            ("like_count", "likes", "likes", ("like",)),
            ("gift_count", "gifts", "gifts", ("gift",)),
            ("gift_sum", "amount of gifts", "amount", ("gift",)),
        )
    ),
)
"""Seen between the entry and a decision taken some seconds later; only such decisions have them."""

PLANTED_LEAK: dict[str, Feature] = {
    kind: Feature(
        "planted_leak",
        "planted",
        f"{planted.definition}, so that the audit has something to find",
        "amount" if kind == "label" else "number",
        "after the row: a leak on purpose",
        planted,
    )
    for kind, planted in FORESIGHT.items()
}
"""A leak of each kind; ``TableOptions(planted_leak=kind)`` lets one in."""


def declared_features(
    capabilities: Iterable[str],
    *,
    strict: bool = True,
    planted_leak: str = "",
    first_window: bool = False,
) -> tuple[Feature, ...]:
    """Return the features that mean something for a source with these tables.

    Examples
    --------
    >>> [f.name for f in declared_features({"gift"}) if f.group == "pair"][3]
    'pair_gift_recency_seconds'
    """
    tables = set(capabilities)
    declared = FEATURES if strict else FEATURES + SNAPSHOT_FEATURES
    declared += FIRST_WINDOW_FEATURES if first_window else ()
    usable = tuple(f for f in declared if not f.needs or tables.intersection(f.needs))
    return (*usable, PLANTED_LEAK[planted_leak]) if planted_leak else usable

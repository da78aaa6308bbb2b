"""A log that a world recorded with late records: what it knew at a cut, beside the true chances.

The world's history runs under the platform's ranking; its recorder has no defect but
``arrival_lag``, so that every viewing and every gift is in the log once it has arrived
(``known_ts``, what data pulled at T are filtered by). An exposure is a click, its label a gift in
that viewing, its delay the time from the click to the arrival of the record.

Nothing is planted but the lag: chances and features are the world's. The chance of a gift in the
state that every click met is exact (a world in which every price counts 1 writes it beside the
log), times P(lag <= horizon); that the lag begins at the end of the viewing, minutes after the
click, is neglected (relative error below 1e-4 at a horizon of six lags).

Features are what the log knew at the click: of the user, of the user with this streamer, and of the
streamer, clicks so far and gifts per click so far, the latter by ``known_ts``: late records make
features late as well. Sums grow with the calendar, so the log begins after a burn-in.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet

from giftlive.clock import MS_PER_DAY, MS_PER_SECOND
from giftlive.errors import IntegrityError, UsageError
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.delay.identifiability import told
from giftlive.evaluation.delay.planted import DAY, Planted
from giftlive.logs.ingest import ingest
from giftlive.logs.store import Store
from giftlive.models.delay.follow_up import NEVER, History
from giftlive.types import Floats, Ints
from giftlive.world import Scenario, build_world, write_twin
from giftlive.world.payoff import with_payoff

HORIZON = 3.0 * DAY
BURN_IN_DAYS, CUT_DAYS, FEWEST_DAYS = 7, 5.0, 16
"""Days that only fill the features, days of learning after them, and days of a log at least."""

PRIOR, RATE = 10.0, 0.01
"""Clicks, and gifts per click among them, that everybody starts with."""

LATE = "late records"

LATE_ALONE = {
    "recorder.select_users": "false",
    "recorder.select_streamers": "false",
    "recorder.entry_stamped": "0.0",
    "recorder.lagged": "0.0",
    "recorder.orphans": "0.0",
    "recorder.outage_days": "[]",
    "recorder.outage_drop": "[]",
    "recorder.arrival_lag": "slow",
}
"""Overrides that leave a preset's recorder no defect but late records."""

FEATURES = tuple(
    f"{who}_{what}" for who in ("user", "pair", "streamer") for what in ("clicks", "gifts")
)

_CLICKS = "SELECT user_id, live_id, streamer_id, ts FROM click ORDER BY ts, user_id, live_id"
_GIFTS = """
SELECT g.user_id, g.streamer_id, g.live_id, c.ts AS click_ts, g.known_ts, g.amount
FROM gift AS g ASOF JOIN click AS c
  ON g.user_id = c.user_id AND g.live_id = c.live_id AND g.ts >= c.ts
ORDER BY g.known_ts, g.user_id, g.live_id
"""


class Events(NamedTuple):
    """[n] each: who with whom, and when."""

    user: Ints
    streamer: Ints
    live: Ints
    ts: Ints


class Recorded(NamedTuple):
    """A log with its true chances, and what it says of the delay within its viewings."""

    planted: Planted
    numbers: tuple[Number, ...]
    cut_ms: int


def recorded_log(
    scenario: Scenario, seed: int, recorder: str = LATE, memory_limit: str = "2GB"
) -> Recorded:
    """Simulate, record, ingest, and return the clicks whose labels are final at the log's end.

    Parameters
    ----------
    scenario : clocked, with ``LATE_ALONE`` and an ``arrival_lag`` of "fast" or "slow", of at least
        two weeks: the first of them only fills the features. recorder : its row in the numbers.

    Raises
    ------
    UsageError
        The recorder has another defect, another law of arrival, or too few days.
    """
    mean, days = _mean_lag(scenario), scenario.calendar.history_days
    world = build_world(scenario, seed)
    counted = with_payoff(world, np.ones(len(world.scene.law.prices)))
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        folder = Path(scratch)
        write_twin(counted, folder / "logs", truth=True, format="parquet")
        store = ingest(folder / "logs", folder / "store", memory_limit=memory_limit)
        truth = pyarrow.parquet.read_table(folder / "logs" / "truth" / "clicks.parquet")
        numbers = tuple(told(store, folder / "logs" / "truth" / "gifts.parquet", recorder))
        found = _read(store)
    chance = _chances(truth, found)
    begin = world.origin_ms + BURN_IN_DAYS * MS_PER_DAY
    end = world.origin_ms + days * MS_PER_DAY - round(HORIZON * MS_PER_SECOND)
    final = np.flatnonzero((found.ts >= begin) & (found.ts <= end))
    planted = Planted(found.rows(final), chance[final] * -np.expm1(-HORIZON / mean))
    return Recorded(planted, numbers, begin + round(CUT_DAYS * MS_PER_DAY))


def _chances(truth: pyarrow.Table, found: History) -> Floats:
    """Return [n] P(gift) of the clicks of the log, in its order.

    Raises
    ------
    IntegrityError
        The clicks of the truth are not those of the log.
    """
    live, user, ts = (truth[c].to_numpy() for c in ("live_id", "user_id", "timestamp"))
    order = np.lexsort((live, user, ts))
    if not (np.array_equal(user[order], found.user) and np.array_equal(ts[order], found.ts)):
        raise IntegrityError(
            f"{len(truth)} clicks of the truth are not the {len(found)} of the log",
            "truth/clicks.parquet",
            "the same clicks",
        )
    return np.asarray(truth["expected_amount"].to_numpy()[order])


def _mean_lag(scenario: Scenario) -> float:
    """Return the mean lag of a recorder that has no other defect."""
    recorder = scenario.recorder
    clean = not (recorder.select_users or recorder.entry_stamped or recorder.lagged)
    clean = clean and not (recorder.orphans or any(recorder.outage_drop))
    if not clean or recorder.arrival_lag not in ("fast", "slow"):
        raise UsageError(
            f"arrival_lag {recorder.arrival_lag}" if clean else "a recorder with other defects",
            "argument scenario",
            "late records (fast or slow) and no other defect",
            "override the preset with LATE_ALONE",
        )
    if scenario.calendar.history_days < FEWEST_DAYS:
        days = f"{scenario.calendar.history_days} days"
        raise UsageError(days, "argument scenario", f"at least {FEWEST_DAYS}")
    return {"fast": recorder.fast_seconds, "slow": recorder.slow_seconds}[recorder.arrival_lag]


def _read(store: Store) -> History:
    """Return the clicks of a store in order of (time, user, room), with features and labels."""
    con = store.connect()
    try:
        clicks = con.execute(_CLICKS).fetchnumpy()
        gifts = con.execute(_GIFTS).fetchnumpy()
    finally:
        con.close()
    shown = Events(*(np.asarray(clicks[c]) for c in ("user_id", "streamer_id", "live_id", "ts")))
    given = Events(
        *(np.asarray(gifts[c]) for c in ("user_id", "streamer_id", "live_id", "known_ts"))
    )
    click = _position(shown, given, np.asarray(gifts["click_ts"]))
    delay, amount = np.full(len(shown.ts), NEVER), np.zeros(len(shown.ts))
    arrived = (given.ts - shown.ts[click]) / MS_PER_SECOND
    np.minimum.at(delay, click, arrived)
    first = arrived == delay[click]  # later gifts of a viewing are not known with its first
    np.add.at(amount, click[first], np.asarray(gifts["amount"], dtype=np.float64)[first])
    X = features(shown, given)
    never = np.full(len(shown.ts), NEVER)
    return History(X, shown.ts, shown.user, delay, never, amount, HORIZON)


def _position(shown: Events, given: Events, click_ts: Ints) -> Ints:
    """Return [gifts] the row of the click of every gift."""
    wanted = np.stack([click_ts, given.user, given.live])
    rows = np.stack([shown.ts, shown.user, shown.live])
    whole, index = np.unique(np.concatenate([rows, wanted], axis=1), axis=1, return_inverse=True)
    last = np.zeros(whole.shape[1], dtype=np.int64)
    last[index[: len(shown.ts)]] = np.arange(len(shown.ts))
    return np.asarray(last[index[len(shown.ts) :]])


def features(shown: Events, given: Events) -> Floats:
    """Return [n, 6] features of clicks, per ``FEATURES``, from what was known before each."""
    columns = []
    for keys in (("user",), ("user", "streamer"), ("streamer",)):
        group = _groups(shown, given, keys)
        asked = group[: len(shown.ts)]
        clicks = counted_before(asked, shown.ts, asked, shown.ts)
        gifts = counted_before(asked, shown.ts, group[len(shown.ts) :], given.ts)
        columns += [np.log1p(clicks), np.log((gifts + PRIOR * RATE) / (clicks + PRIOR))]
    return np.stack(columns, axis=1).astype(np.float64)


def _groups(shown: Events, given: Events, keys: tuple[str, ...]) -> Ints:
    both = [np.concatenate([getattr(shown, key), getattr(given, key)]) for key in keys]
    return np.asarray(np.unique(np.stack(both), axis=1, return_inverse=True)[1]).ravel()


def counted_before(group: Ints, ts: Ints, event_group: Ints, event_ts: Ints) -> Ints:
    """Return [n] how many events of a row's group lie strictly before its time.

    Examples
    --------
    >>> counted_before(np.array([0, 0, 1]), np.array([5, 9, 9]), np.array([0, 0, 1]),
    ...                np.array([5, 7, 9])).tolist()
    [0, 2, 0]
    """
    start = min(ts.min(initial=0), event_ts.min(initial=0))
    span = max(ts.max(initial=0), event_ts.max(initial=0)) - start + 1
    events = np.sort(event_group * span + (event_ts - start))
    before = np.searchsorted(events, group * span + (ts - start), side="left")
    return np.asarray(before - np.searchsorted(events, group * span, side="left"))

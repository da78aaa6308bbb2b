"""What users were shown, as arrays: features known before the exposure, and what followed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from giftlive.logs.store import Store, quoted
from giftlive.rng import stream
from giftlive.tables.candidates.exposures import write_exposures
from giftlive.tables.matrix import read_dictionary
from giftlive.tables.options import TableOptions
from giftlive.tables.parts import samples_relation
from giftlive.tables.probe import features_at
from giftlive.types import Bools, Floats, Ints

_IDS = ("user_id", "live_id", "streamer_id", "ts")
_ROWS = """select e.user_id, e.live_id, e.streamer_id, e.ts, e.label, e.amount, s.day, k.watch_ms
from read_parquet({exposures}) e
join {samples} s on s.sample_id = e.sample_id
left join click k on k.row_id = e.sample_id and e.label = 1
where s.matured
order by e.decision_ts, e.sample_id, e.place"""


@dataclass(frozen=True)
class Shown:
    """Exposures in time order.

    Attributes
    ----------
    X : [n, p] features, the ids of user and streamer among them. names : [p].
    clicked : [n] entered. watch_seconds : [n] of the entry's viewing, NaN where not entered.
    y : [n] gifts credited, 0 where not entered. user, day : [n] id and local day of the decision.
    """

    X: Floats
    names: tuple[str, ...]
    clicked: Bools
    watch_seconds: Floats
    y: Floats
    user: Ints
    day: Ints

    def __len__(self) -> int:
        return len(self.y)

    def column(self, name: str) -> Floats:
        """Return the feature ``name`` [n]."""
        return self.X[:, self.names.index(name)]


def load_exposures(
    store: Store, tables: Path, largest: int, seed: int = 0, memory_limit: str = "2GB"
) -> Shown:
    """Return the matured exposures of a log with the features of the tables.

    Every exposure, entered or not, gets its features in the same way: as known strictly before
    it was shown. Features of an entry's first seconds are not among them.

    Parameters
    ----------
    largest : about how many exposures at most; where there are more, each is kept with the same
        chance: every user stays, and shares of exposures keep their meaning.
    seed : names the draw.

    Raises
    ------
    MissingCapabilityError
        The source has no clicks or no negatives.
    """
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        file = Path(scratch) / "exposures.parquet"
        write_exposures(store, tables, file)
        con = store.connect(memory_limit)
        try:
            rows = con.execute(
                _ROWS.format(exposures=quoted(file), samples=samples_relation(tables.absolute()))
            ).fetchnumpy()
        finally:
            con.close()
    kept = _drawn(len(rows["user_id"]), largest, seed)
    rows = {name: column[kept] for name, column in rows.items()}
    ids = {name: np.asarray(rows[name], dtype=np.int64) for name in _IDS}
    names = tuple(
        feature["name"]
        for feature in read_dictionary(tables)["features"]
        if feature["group"] not in ("planted", "first_window")
    )
    known = features_at(
        store,
        ids["user_id"],
        ids["streamer_id"],
        ids["ts"],
        names,
        lives=ids["live_id"],
        options=TableOptions(memory_limit=memory_limit),
    )
    watch = np.ma.filled(np.ma.asarray(rows["watch_ms"]).astype(np.float64), np.nan)
    return Shown(
        X=np.column_stack([known, ids["user_id"], ids["streamer_id"]]),
        names=(*names, "user_id", "streamer_id"),
        clicked=np.asarray(rows["label"]) == 1,
        watch_seconds=watch / 1000.0,
        y=np.asarray(rows["amount"], dtype=np.float64),
        user=ids["user_id"],
        day=np.asarray(rows["day"], dtype=np.int64),
    )


def _drawn(n: int, largest: int, seed: int) -> Bools:
    """Return [n] a simple random sample of about ``largest`` rows."""
    return np.asarray(stream(seed, "exposures").random(n) < largest / max(n, 1))

"""The log held against itself: replayed, every decision taken again, every digest compared."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from giftlive.errors import IdentityError, InputError
from giftlive.service.applying import apply
from giftlive.service.deciding import MODEL, Circumstances, propose, request_of
from giftlive.service.engine import first_state, records
from giftlive.service.record import DECISION, DIGEST, Logged, Record
from giftlive.service.scoring import Values
from giftlive.service.snapshots import Snapshots, about_of
from giftlive.service.state import State
from giftlive.service.store.protocol import Store

_AHEAD = 4_096
"""Records read ahead: a decision is in the log after others that it did not know yet."""


@dataclass
class Verified:
    """What was found.

    Attributes
    ----------
    records, decisions, digests : how many were replayed, taken again, compared.
    snapshots : held against the replayed state.
    untaken : decisions by a full model that was not given, or too far behind their state.
    digest : of the state at the end.
    """

    records: int = 1
    decisions: int = 0
    digests: int = 0
    snapshots: int = 0
    untaken: int = 0
    digest: str = ""


@dataclass
class _Replay:
    state: State
    found: Verified = field(default_factory=Verified)
    due: dict[int, list[Record]] = field(default_factory=dict)
    sums: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)

    def ahead(self, logged: Logged) -> None:
        """See a record before it is applied."""
        record = logged.record
        if record.kind == DECISION:
            known = record.meta["state_seq"]
            if known < self.state.seq:
                self.found.untaken += 1
            else:
                self.due.setdefault(known, []).append(record)
        if record.kind == DIGEST:
            self.sums[record.meta["seq"]] = record.meta["digest"]

    def at_rest(self) -> None:
        """Take decisions and compare digests that belong to the state as it is."""
        for record in self.due.pop(self.state.seq, []):
            self._again(record)
        told, kept = (sums.pop(self.state.seq, None) for sums in (self.sums, self.kept))
        own = "" if told is None and kept is None else self.state.digest()
        for other, where in ((told, "in the log"), (kept, "in its snapshot")):
            if other is not None and own != other:
                raise IdentityError(
                    f"digest {own}, {other} {where}",
                    f"record {self.state.seq}",
                    "equal states from equal logs",
                )
        self.found.digests += told is not None
        self.found.snapshots += kept is not None

    def _again(self, record: Record) -> None:
        meta = record.meta
        values = self.state.vectors.values
        if meta["mode"] == MODEL and (values is None or values.model is None):
            self.found.untaken += 1
            return
        clock_ts = meta.get("clock_ts", -1)
        how = Circumstances(meta["ts"], meta["mode"], dict(meta["in_flight"]), clock_ts)
        _require_equal(record, propose(self.state, request_of(record), how))
        self.found.decisions += 1


def verify_log(
    store: Store, values: Values | None = None, snapshots: Snapshots | None = None
) -> Verified:
    """Replay a log from its first record.

    Parameters
    ----------
    values : with the full model, where decisions were taken by one. snapshots : whose digests are
        compared; none of them is used.

    Raises
    ------
    IdentityError
        A decision comes out otherwise, or the state is not what the service said it was.
    IntegrityError
        The log is not one that this version can read.
    """
    replay = _Replay(first_state(store, values), kept=_digests(snapshots))
    waiting: deque[Logged] = deque()
    more: Iterator[Logged] = records(store, 1)
    while True:
        for logged in more:
            replay.ahead(logged)
            waiting.append(logged)
            if len(waiting) >= _AHEAD:
                break
        replay.at_rest()
        if not waiting:
            break
        apply(replay.state, waiting.popleft())
        replay.found.records += 1
    replay.found.digest = replay.state.digest()
    return replay.found


def _digests(snapshots: Snapshots | None) -> dict[int, str]:
    """Return what every readable snapshot says of its state, by the number of its record."""
    found = {}
    for seq, place in snapshots.found() if snapshots else ():
        with suppress(InputError):
            found[seq] = about_of(place)["state"]
    return found


def _require_equal(logged: Record, again: Record) -> None:
    where = f"decision {logged.meta['decision_id']}"
    for name in logged.meta.keys() | again.meta.keys():
        one, two = logged.meta.get(name), again.meta.get(name)
        if name != "in_flight" and one != two:
            raise IdentityError(f"{name} is {one!r}, {two!r} when taken again", where)
    for name in logged.arrays.keys() | again.arrays.keys():
        arrays = logged.arrays.get(name), again.arrays.get(name)
        same = all(a is not None for a in arrays)
        if not same or arrays[0].tobytes() != arrays[1].tobytes():  # type: ignore[union-attr]
            raise IdentityError(f"{name} differ when taken again", where)

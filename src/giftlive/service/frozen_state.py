"""The state as bytes and back, bit for bit: what a snapshot holds beside the online features.

Plain values and arrays are pickled; reading allows the service's own data classes, NumPy's arrays
and nothing else, so that a file that somebody else wrote can make values, not calls. Settings,
policies and the code of values are not in the bytes: they follow from the log.
"""

from __future__ import annotations

import dataclasses
import io
import pickle
from typing import Any

from giftlive.errors import InputError
from giftlive.service.ruling import Ruling
from giftlive.service.scoring import Values
from giftlive.service.state import State
from giftlive.tables.online import OnlineFeatures

_PLAIN = (
    *("totals", "seq", "ts", "tick_seq", "tick_ts", "ticks", "requests", "decisions"),
    *("event_ids", "viewers", "left", "closed", "holds", "learned"),
)
_FROM_LOG = {
    "rooms": (),
    "pricer": ("settings",),
    "joiner": ("settings",),
    "guardrails": ("watches",),
    "vectors": ("settings", "online", "values", "_wanted"),
}
"""Parts of the state, and what of each the log says already."""
_ELSEWHERE = frozenset(
    (
        ("collections", "deque"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
    )
)
_NO_STATE = (
    *(pickle.UnpicklingError, EOFError, LookupError, AttributeError),
    *(TypeError, ValueError),  # arrays that do not fit their bytes are among the latter
)


def frozen(state: State) -> bytes:
    """Return the state without its online features."""
    vectors, switch = state.vectors, state.switch
    used = len(vectors.users) + 1
    kept: dict[str, Any] = {name: getattr(state, name) for name in _PLAIN}
    for part, left_out in _FROM_LOG.items():
        found = vars(getattr(state, part))
        kept[part] = {name: x for name, x in found.items() if name not in left_out}
    kept["vectors"] |= {"user": vectors.user[:used], "computed_ts": vectors.computed_ts[:used]}
    kept["values"] = vectors.values.plain() if vectors.values else None
    kept["watches"] = {
        name: (watch.samples, watch.interval, watch.breached)
        for name, watch in state.guardrails.watches.items()
    }
    kept["switch"] = switch.killed, switch.changed_seq, switch.changed_ts, switch.because
    kept["rulings"] = [
        (ruling.spec, ruling.seats, ruling.values_version, ruling.state) for ruling in switch.all
    ]
    return pickle.dumps(kept, protocol=5)


def thawed(body: bytes, state: State, online: OnlineFeatures) -> State:
    """Return the state that :func:`frozen` was given.

    Parameters
    ----------
    state : that after the first record of the same log; it is changed. online : its features.

    Raises
    ------
    InputError
        The bytes hold something else.
    """
    try:
        kept = _Reader(io.BytesIO(body)).load()
        for name in _PLAIN:
            setattr(state, name, kept[name])
        for part in _FROM_LOG:
            for name, x in kept[part].items():
                setattr(getattr(state, part), name, x)
        for name, found in kept["watches"].items():
            watch = state.guardrails.watches[name]
            watch.samples, watch.interval, watch.breached = found
        state.vectors.online = online
        state.vectors.values = _values(state, kept["values"])
        switch = state.switch
        switch.killed, switch.changed_seq, switch.changed_ts, switch.because = kept["switch"]
        rulings = [_ruling(*told) for told in kept["rulings"]]
        switch.acting, switch.safe = rulings[:2]
        switch.shadow = rulings[2] if len(rulings) > 2 else None
    except _NO_STATE as error:
        raise InputError(f"not a state: {error}", "a snapshot", "what the service wrote") from error
    return state


def _ruling(spec: dict[str, Any], seats: Any, version: str, learned: Any) -> Ruling:
    ruling = Ruling(spec, seats, version)
    ruling.state = learned
    return ruling


def _values(state: State, plain: dict[str, Any] | None) -> Values | None:
    """Return values by what the log says of them, with the full model where it is at hand."""
    if plain is None:
        return None
    own = state.vectors.values
    if own is not None and own.version == plain["version"]:
        return own
    return state.library.get(plain["version"]) or Values.of_plain(plain)


class _Reader(pickle.Unpickler):
    """Makes plain values, arrays, and data classes of this package."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ELSEWHERE:
            return super().find_class(module, name)
        if module.startswith("giftlive."):
            found = super().find_class(module, name)
            if dataclasses.is_dataclass(found) or hasattr(found, "_fields"):
                return found
        raise pickle.UnpicklingError(f"{module}.{name}")

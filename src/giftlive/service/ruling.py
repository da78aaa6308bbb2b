"""A policy of the registry at work in the service: built from JSON, its state kept by slots.

Policies know a fixed number of rooms, the service's come and go. A policy is told of all slots at
once; when a slot is given to another room, every array of its state with a row per room gets the
row that a new policy would have. Prices of ``dual_price`` are those of the service's one pricer:
the policy's own learning is switched off.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import ConfigError, GiftLiveError
from giftlive.policies import DualPrice, Policy, PriceState, make_policy
from giftlive.service.rooms import digest_of
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints

ALONE = (
    *("uniform", "round_robin", "popularity", "greedy", "greedy_with_cap", "softmax"),
    *("epsilon_greedy", "room_thompson", "lin_ucb", "concave", "dual_price"),
)
AROUND = (
    *("random_bucket", "exploration_floor", "tie_exploration", "capacity_guard", "frequency_cap"),
    "fatigue_budget",
)
"""Policies and wrappers that need nothing but values, seats and feedback."""

KILLED = {"name": "greedy_with_cap"}
"""What the kill switch falls back to: greedy among rooms with a free seat."""


def build(spec: Any, where: str = "policy") -> Policy[Any]:
    """Return the policy of ``{"name": …, "options": {…, "policy": {…}}}``.

    Raises
    ------
    ConfigError
        A name or an option is not one of the service's policies.

    Examples
    --------
    >>> build({"name": "random_bucket", "options": {"policy": {"name": "greedy"}}}).policy.name
    'greedy'
    """
    _require_spec(spec, where)
    name, options = spec["name"], spec.get("options", {})
    if name not in (*ALONE, *AROUND):
        known = f"one of {', '.join((*ALONE, *AROUND))}"
        raise ConfigError(f"the service has no policy {name!r}", f"{where}.name", known)
    if not isinstance(options, Mapping):
        raise ConfigError(f"{options!r}", f"{where}.options", "an object")
    made = dict(options)
    if "policy" in made:
        if name not in AROUND:
            raise ConfigError("a policy within one", f"{where}.options.policy", "a wrapper's")
        made["policy"] = build(made["policy"], f"{where}.options.policy")
    _require_plain(made, f"{where}.options")
    if name == "dual_price":
        if "prices" in made or "learning_rate" in made:
            raise ConfigError("prices of its own", f"{where}.options", "prices of the pricer")
        made |= {"learning_rate": 0.0, "pooled": False}
    try:
        return make_policy(name, **made)
    except GiftLiveError as error:
        raise ConfigError(error.what, f"{where}.options", error.expected, error.hint) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(str(error), f"{where}.options", "options of this policy") from error


def _require_spec(spec: Any, where: str) -> None:
    """Require an object with ``name`` and perhaps ``options``."""
    expected = 'an object such as {"name": "softmax", "options": {"temperature": 0.2}}'
    if not isinstance(spec, Mapping) or "name" not in spec:
        raise ConfigError("no `name`", where, expected)
    others = sorted(str(key) for key in set(spec) - {"name", "options"})
    if others:
        raise ConfigError(f"{', '.join(others)} beside `name`", where, expected)


def _require_plain(options: Mapping[str, Any], where: str) -> None:
    for key, value in options.items():
        if key != "policy" and not isinstance(value, bool | int | float | str):
            raise ConfigError(f"{value!r}", f"{where}.{key}", "a number, a word, true or false")


@dataclass
class Ruling:
    """A policy and what it has learned.

    Attributes
    ----------
    spec : JSON it was built from. state : the policy's.
    name : of the policy, wrappers from the outside: ``random_bucket(dual_price)``.
    """

    spec: dict[str, Any]
    seats: Ints
    values_version: str
    policy: Policy[Any] = field(init=False)
    state: Any = field(init=False)
    name: str = field(init=False)
    _version: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        self.policy, self.name = build(self.spec), _name(self.spec)
        self.state = self.policy.init(self.seats)

    @property
    def version(self) -> str:
        """What decided: the spec and the values it was given."""
        if self._version[0] != self.values_version:
            own = digest_of(sorted_spec(self.spec), self.values_version)[:16]
            self._version = self.values_version, own
        return self._version[1]

    def decide(self, batch: DecisionBatch, rng: np.random.Generator) -> Decisions:
        """Return the policy's answer; the state does not change."""
        return self.policy.decide(self.state, batch, rng)

    def hear(self, feedback: Feedback) -> None:
        """Learn from what became final."""
        self.state = self.policy.update(self.state, feedback)

    def opened(self, slot: int, seats: Ints) -> None:
        """Let a slot be that of a room nothing is known of."""
        self.seats = seats.copy()
        self.state = renewed(self.state, self.policy.init(self.seats), slot, len(seats))

    def price(self, per_second: Floats, ts: int) -> None:
        """Let ``dual_price``, wherever it stands, charge these prices [S]."""
        state = PriceState(per_second[:, None].copy(), np.ones(len(per_second)), ts)
        self.state = _priced(self.state, state)

    def digest(self, sums: Any) -> None:
        """Tell ``sums``, a hash, everything that is here."""
        sums.update(repr((sorted_spec(self.spec), self.version)).encode())
        _tell(self.state, sums)


def sorted_spec(spec: Any) -> Any:
    """Return JSON with its keys in order, so that equal specs are equal texts."""
    if isinstance(spec, Mapping):
        return {key: sorted_spec(spec[key]) for key in sorted(spec)}
    return spec


def uses_prices(spec: Any) -> bool:
    """Return whether ``dual_price`` stands anywhere in a spec."""
    inner = spec.get("options", {}).get("policy")
    return spec["name"] == DualPrice.name or (inner is not None and uses_prices(inner))


def _name(spec: Mapping[str, Any]) -> str:
    inner = spec.get("options", {}).get("policy")
    if inner is None:
        return str(spec["name"]) if spec["name"] in ALONE else f"{spec['name']}(greedy)"
    return f"{spec['name']}({_name(inner)})"


def renewed(state: Any, fresh: Any, slot: int, places: int) -> Any:
    """Return ``state`` with row ``slot`` of every array of ``places`` rows as in ``fresh``."""
    if isinstance(state, np.ndarray):
        if state.ndim and len(state) == places and np.shape(fresh) == state.shape:
            copy = state.copy()
            copy[slot] = fresh[slot]
            return copy
        return state
    if isinstance(state, tuple) and not hasattr(state, "_fields"):
        pairs = zip(state, fresh, strict=False)
        return tuple(renewed(a, b, slot, places) for a, b in pairs) or state
    return _each_field(state, lambda name, x: renewed(x, getattr(fresh, name), slot, places))


def _priced(state: Any, price: PriceState) -> Any:
    if isinstance(state, PriceState):
        return price
    return _each_field(state, lambda _, x: _priced(x, price))


def _each_field(state: Any, change: Any) -> Any:
    if not dataclasses.is_dataclass(state) or isinstance(state, type):
        return state
    old = {f.name: getattr(state, f.name) for f in dataclasses.fields(state)}
    new = {name: change(name, x) for name, x in old.items()}
    if all(new[name] is x for name, x in old.items()):
        return state
    return dataclasses.replace(state, **new)


def _tell(state: Any, sums: Any) -> None:
    """Tell a hash everything in a state of dataclasses, tuples, arrays and plain values."""
    if isinstance(state, np.ndarray):
        sums.update(repr((state.dtype.str, state.shape)).encode() + state.tobytes())
    elif isinstance(state, tuple | list):
        for one in state:
            _tell(one, sums)
    elif dataclasses.is_dataclass(state) and not isinstance(state, type):
        sums.update(type(state).__name__.encode())
        for f in dataclasses.fields(state):
            _tell(getattr(state, f.name), sums)
    else:
        sums.update(repr(state).encode())

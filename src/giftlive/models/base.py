"""What every value model is: settings to fit, a fitted model, and a card that says its limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from giftlive import __version__
from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.types import Floats, Ints

UNKNOWN = -1.0
"""The stored value of a feature that is not known; NaN means the same."""

CHUNK = 65_536
"""Rows that are looked at together: what is made of them stays small beside the features."""

WIDEST = 1e15
"""Largest ratio of two gifts: beyond it doubles no longer hold both in one sum."""

LARGEST = 1e100
"""Largest size of a feature or an amount, and its inverse the smallest gift: squares are finite."""


@dataclass(frozen=True)
class Card:
    """What a fitted model is and is not good for; written beside it as ``card.json``.

    Attributes
    ----------
    name : as in the registry. estimand : what ``predict`` estimates. features : the columns.
    rows, positives : of the training data. settings : what can be chosen. fitted : what was found.
    limits : sentences a reader must know before using the numbers.
    """

    name: str
    estimand: str
    features: tuple[str, ...]
    rows: int
    positives: int
    settings: dict[str, Any]
    fitted: dict[str, Any]
    limits: tuple[str, ...]
    version: str = __version__

    def as_dict(self) -> dict[str, Any]:
        """Return the card as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Card:
        """Return the card stored by ``as_dict``."""
        tuples = {key: tuple(data[key]) for key in ("features", "limits")}
        return cls(**(data | tuples))


def within(card: dict[str, Any]) -> dict[str, Any]:
    """Return what the card of a composed model keeps of a part's: not its columns and limits."""
    return {key: card[key] for key in ("name", "settings", "fitted")}


@dataclass(frozen=True)
class Stored:
    """An array as a value: two are equal when their bits are."""

    shape: tuple[int, ...]
    dtype: str
    data: bytes

    @classmethod
    def of(cls, array: ArrayLike) -> Stored:
        """Hold a copy of ``array``."""
        plain = np.ascontiguousarray(array)
        return cls(np.shape(array), plain.dtype.str, plain.tobytes())

    def array(self) -> Any:
        """Return the array."""
        return np.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)


@dataclass(frozen=True)
class State:
    """A fitted model as data: numbers for JSON, and tree ensembles in LightGBM's own text, arrays.

    A model made of others holds theirs as ``parts``.
    """

    kind: str
    numbers: dict[str, Any]
    forests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parts: tuple[State, ...] = ()
    arrays: dict[str, Stored] = field(default_factory=dict)


class FittedModel(Protocol):
    """E[amount | features] after training."""

    def predict(self, X: Floats, /) -> Floats:
        """Return [n] the expected amount of every row, > 0."""

    def predict_proba(self, X: Floats, /) -> Floats:
        """Return [n] P(amount > 0) of every row."""

    def card(self) -> dict[str, Any]:
        """Return name, version, features, target, training rows, positives and limits."""

    def state(self) -> State:
        """Return everything needed to rebuild the model."""


class ValueModel(Protocol):
    """Settings that can be fitted; the same settings and data give the same model, bit for bit."""

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedModel:
        """Estimate from features [n, p], amounts [n] and the user [n] each row belongs to."""


@dataclass(frozen=True)
class Training:
    """Checked training data: features with NaN where unknown, amounts, users, column names.

    Data made with ``as_given`` holds the features as they came, -1 and all; ``rows`` marks those
    that are taken.
    """

    X: Floats
    y: Floats
    groups: Ints
    names: tuple[str, ...]

    def rows(self, at: Ints) -> Floats:
        """Return a copy of the features of some rows, NaN where unknown."""
        taken = self.X[at]
        for part in chunks(len(taken)):
            taken[part][taken[part] == UNKNOWN] = np.nan
        return taken

    @property
    def positives(self) -> int:
        """Return how many rows hold a gift."""
        return int(np.count_nonzero(self.y > 0.0))

    @property
    def unit(self) -> float:
        """Return the smallest gift; counted in it, whole amounts do not depend on the currency.

        An amount divided by another is the same double in any unit that multiplies both exactly.
        Models that fit ``y / unit`` and multiply back are equal up to that last product.
        """
        return float(self.y[self.y > 0.0].min())


def known(X: ArrayLike, width: int | None = None) -> Floats:
    """Return features as floats with NaN wherever they are unknown (NaN or -1).

    Raises
    ------
    UsageError
        The number of columns is not ``width``.
    InputError
        A feature is infinite: no model can say what that means.
    """
    given = _finite(_matrix(X, width))
    features = np.empty(given.shape)
    for part in chunks(len(given)):
        features[part] = np.where(given[part] == UNKNOWN, np.nan, given[part])
    return features


def chunks(n: int) -> Iterator[slice]:
    """Yield slices of at most ``CHUNK`` rows that cover ``n`` rows in order."""
    for start in range(0, n, CHUNK):
        yield slice(start, min(start + CHUNK, n))


def by_chunks(X: ArrayLike, width: int, of: Callable[[Floats], Floats]) -> Floats:
    """Return [n] what ``of`` says of known features, without a copy of all of them.

    Raises
    ------
    UsageError, InputError
        As ``known``.
    """
    given = _matrix(X, width)
    if len(given) <= CHUNK:
        return of(known(given))
    _finite(given)  # before anything is computed, and with the count over all rows
    return np.concatenate([of(known(given[part])) for part in chunks(len(given))])


def _matrix(X: ArrayLike, width: int | None) -> Floats:
    features = _numbers(X, "X", "numbers, and NaN or -1 where a feature is unknown")
    if features.ndim != 2 or (width is not None and features.shape[1] != width):
        wanted = "a matrix [n, p]" if width is None else f"{width} columns, those of the training"
        raise UsageError(
            f"shape {features.shape}", "argument X", wanted, "card()['features'] names them"
        )
    return features


def _numbers(values: ArrayLike, argument: str, expected: str) -> Floats:
    """Return what was given as doubles.

    Raises
    ------
    InputError
        A word, a date, a complex number, or rows of different lengths.
    """
    try:
        given = np.asarray(values)
        if given.dtype.kind in "cmM":
            raise TypeError(f"an array of {given.dtype}")
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"not only numbers ({error})",
            f"argument {argument}",
            expected,
            "give a category or a date as a number: its rank, or what was counted of it",
        ) from error


def _finite(features: Floats) -> Floats:
    """Return the features if none is infinite or as good as that."""
    found = np.zeros(features.shape[1], dtype=np.int64)
    for part in chunks(len(features)):
        found += (np.abs(features[part]) > LARGEST).sum(axis=0)
    if found.any():
        raise InputError(
            f"{int(found.sum())} infinite features (beyond {LARGEST:g})",
            f"argument X, columns {np.flatnonzero(found).tolist()}",
            "finite numbers, or NaN or -1 where a feature is unknown",
            "a ratio without a denominator is unknown",
        )
    return features


def training(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None,
    names: Sequence[str],
    minimum_positives: int = 1,
    *,
    as_given: bool = False,
) -> Training:
    """Check what a model is fitted on.

    ``as_given`` copies no feature: for models that learn from some of the rows (``Training.rows``).

    Raises
    ------
    UsageError
        Shapes do not match, there is no column, or two have one name.
    InputError
        An amount is negative or not a number, two gifts differ by more than ``WIDEST``, a gift is
        beyond ``LARGEST`` or below its inverse, a user id is not a whole number, or a feature is
        infinite or not a number.
    NotEnoughDataError
        Fewer than ``minimum_positives`` rows hold a gift.
    """
    distinct(names)
    features = _finite(_matrix(X, len(names))) if as_given else known(X, len(names))
    amount = _numbers(y, "y", "amounts >= 0")
    users = np.arange(len(amount)) if groups is None else _users(groups)
    if amount.shape != features.shape[:1] or users.shape != amount.shape:
        raise UsageError(
            f"shapes {features.shape}, {amount.shape}, {users.shape}",
            "arguments X, y, groups",
            "[n, p], [n], [n]",
        )
    if not (np.isfinite(amount) & (amount >= 0.0)).all():
        raise InputError("an amount is negative or not a number", "argument y", "amounts >= 0")
    data = Training(features, amount, users, tuple(names))
    if data.positives < minimum_positives:
        raise NotEnoughDataError(
            f"{data.positives} of {len(amount)} training rows hold a gift",
            "argument y",
            f"at least {minimum_positives}",
            "train on more days, or use a trivial ranker",
        )
    if data.positives:
        _same_money(data.unit, float(amount.max()))
    return data


def _same_money(smallest: float, largest: float) -> None:
    if not 1.0 / LARGEST <= smallest <= largest <= LARGEST:
        raise InputError(
            f"gifts from {smallest:g} to {largest:g}",
            "argument y",
            f"amounts from {1.0 / LARGEST:g} to {LARGEST:g}",
            "count amounts in another unit of money",
        )
    if largest > WIDEST * smallest:
        raise InputError(
            f"gifts from {smallest:g} to {largest:g}",
            "argument y",
            f"amounts that differ by a factor of {WIDEST:g} at most",
            "look for amounts in two units",
        )


def distinct(names: Sequence[str]) -> None:
    """Refuse names by which no column can be told: none, one text, or one name twice."""
    given = (names,) if isinstance(names, str) else tuple(names)
    twice = sorted({name for name in given if given.count(name) > 1})
    if isinstance(names, str) or twice or not given:
        what = f"two columns are called {', '.join(twice)}" if twice else f"names {names!r}"
        raise UsageError(what, "argument names", "one name for each column, at least one")


def _users(groups: ArrayLike) -> Ints:
    whole = "one whole number per row"
    hint = "number the users: np.unique(groups, return_inverse=True)[1]"
    try:
        users = np.asarray(groups)
        ids = users.astype(np.int64) if users.dtype.kind in "biuSU" else _whole(users)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"a user id is not a number ({error})", "argument groups", whole, hint
        ) from error
    return ids


def _whole(users: Any) -> Ints:
    """Return numbers as integers if they are: two users of one integer would be one user."""
    number = np.asarray(users, dtype=np.float64)
    bad = ~(np.abs(number) < 2.0**63) | (number != np.floor(number))
    if bad.any():
        raise ValueError(f"{number[bad][0]:g}")
    return np.asarray(users.astype(np.int64))

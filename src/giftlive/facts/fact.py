"""A fact: one number that says what it counts, over what, for whom, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "undefined"]
Curve = dict[str, list[Any]]
"""Equal-length plain columns behind one figure."""
AMOUNT = "amount"
"""Unit of a quantity in money; a fact states the unit of its source instead."""


@dataclass(frozen=True)
class Quantity:
    """What a fact measures, stated before any row is read.

    Attributes
    ----------
    name : the published name where there is one. numerator, denominator : what is divided by
        what. population : whose. unit : of the value. needs : tables it cannot do without.
    money : whether amounts enter the value, whose tail is then that of whole gifts.
    """

    name: str
    numerator: str
    denominator: str
    population: str
    unit: str = "share"
    needs: tuple[str, ...] = ()
    money: bool = False

    @property
    def tail(self) -> str:
        """Return the tail of the coverage table that stands for this quantity."""
        if self.money:
            return "gift"
        return "gift_kind" if self.denominator.startswith("gift") else "count"

    @property
    def ratio(self) -> str:
        """Return the kind of ratio that this quantity is, as the coverage table names it."""
        of_money = self.money and self.denominator.startswith("amount")
        return "money_share" if of_money else "ratio"


@dataclass(frozen=True)
class Fact:
    """A measured :class:`Quantity`.

    Attributes
    ----------
    value : ``None`` exactly where ``status`` is ``undefined``. low, high : 95 % interval, both
        ``None`` where none may be printed; ``reason`` then says why. method : of the interval.
    n : how many of ``n_unit`` the value rests on. warning : what a reader must not conclude.

    Examples
    --------
    >>> Fact("a", 0.5, None, None, "x", "y", "all", "share", "none", 2, "ok", "two rows").value
    0.5
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    numerator: str
    denominator: str
    population: str
    unit: str
    method: str
    n: int
    status: Status
    reason: str = ""
    n_unit: str = "rows"
    warning: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether a 95 % interval is printed."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True)
class Section:
    """What one topic contributes: its facts, and the columns of its figures by name."""

    facts: tuple[Fact, ...]
    curves: dict[str, Curve] = field(default_factory=dict)

"""Pieces that every figure of facts is made of."""

from __future__ import annotations

from collections.abc import Sequence

from giftlive.evaluation.results import Series, Style
from giftlive.facts import FactBook
from giftlive.facts.fact import Curve
from giftlive.types import Message


def filled(curve: Curve | None) -> bool:
    """Return whether a curve has rows and every number in it is defined."""
    if not curve or any(len(column) == 0 for column in curve.values()):
        return False
    essential = [c for name, c in curve.items() if name not in {"low", "high"}]
    return all(value is not None for column in essential for value in column)


def words(name: str, **params: object) -> tuple[Message, Message]:
    """Return what a figure shows and what follows from it."""
    key = f"study.exploration.figure.{name}"
    return Message(f"{key}.shows", params), Message(f"{key}.follows", params)


def of_facts(
    book: FactBook, name: str, x: Sequence[float | str], facts: Sequence[str], style: Style = "dots"
) -> Series:
    """Return a series of facts; bounds where every one of them may print its own."""
    found = [book.fact(fact) for fact in facts]
    known = all(fact.has_interval for fact in found)
    return Series(
        name=name,
        x=tuple(x),
        y=tuple(float(fact.value or 0.0) for fact in found),
        style=style,
        low=tuple(float(fact.low or 0.0) for fact in found) if known else None,
        high=tuple(float(fact.high or 0.0) for fact in found) if known else None,
        n=tuple(fact.n for fact in found),
    )


def value(book: FactBook, name: str) -> float:
    """Return the value of a fact, 0 where it has none."""
    return float(book.fact(name).value or 0.0)


def percent(share: float) -> str:
    """Return a share as a percentage with two digits that count, never 0 % of something.

    Nor is it 100 % of what is not all.

    Examples
    --------
    >>> percent(0.5), percent(0.0147), percent(0.00021), percent(0.0), percent(0.00001)
    ('50 %', '1.5 %', '0.02 %', '0 %', 'under 0.01 %')
    >>> percent(0.996), percent(1.0)
    ('over 99 %', '100 %')
    """
    hundredfold = 100 * share
    if 0.0 < hundredfold < 0.01:
        return "under 0.01 %"
    if 99.5 <= hundredfold < 100.0:
        return "over 99 %"
    places = 0 if hundredfold >= 9.95 or not share else 1 if hundredfold >= 0.995 else 2
    return f"{hundredfold:.{places}f} %"

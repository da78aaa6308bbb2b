"""Settings that nothing can be fitted with are refused where they are made, not in a library."""

from __future__ import annotations

from giftlive.errors import UsageError

SOME_USERS = 2
"""Fewest folds: what a fold is asked must have been learnt outside of it."""


def at_least(where: str, least: float, **settings: float) -> None:
    """Refuse a setting below ``least``, an infinite one, and one that is not a number.

    Parameters
    ----------
    where : the class they belong to. settings : by name.

    Raises
    ------
    UsageError
        It names the setting.

    Examples
    --------
    >>> at_least("Ridge", 0.0, penalty=1e-3)
    """
    for name, value in settings.items():
        if not least <= value < float("inf"):
            raise UsageError(f"{name} {value}", f"{where}.{name}", f"a number >= {least:g}")


def above_zero(where: str, **settings: float) -> None:
    """Refuse a setting that is not above 0, an infinite one, and one that is not a number."""
    for name, value in settings.items():
        if not 0.0 < value < float("inf"):
            raise UsageError(f"{name} {value}", f"{where}.{name}", "a number > 0")

"""Estimators by name: those that need nothing but decisions, and a model where they say so."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from giftlive.errors import ConfigError
from giftlive.ope import catalogue
from giftlive.ope.estimators import Estimator

PLAIN: dict[str, Estimator] = {
    "replay": catalogue.REPLAY,
    "ips": catalogue.IPS,
    "snips": catalogue.SNIPS,
    "dm": catalogue.DM,
    "dr": catalogue.DR,
    "sndr": catalogue.SNDR,
    "balanced_ips": catalogue.BALANCED_IPS,
    "balanced_dr": catalogue.BALANCED_DR,
}
"""Estimators without a parameter."""

SHAPED: dict[str, Callable[[float], Estimator]] = {
    "clipped_ips": catalogue.clipped_ips,
    "sub_gaussian_ips": catalogue.sub_gaussian_ips,
    "clipped_dr": catalogue.clipped_dr,
    "switch_dr": catalogue.switch_dr,
    "dros": catalogue.dros,
    "sub_gaussian_dr": catalogue.sub_gaussian_dr,
    "lse": catalogue.log_sum_exp,
}
"""Estimators with one parameter."""

PER_LOGGER: dict[str, Callable[[int], Estimator]] = {"weighted_ips": catalogue.weighted_ips}
"""Estimators that weigh the logging policies against each other."""

_FORM = re.compile(r"(?P<name>\w+)(?:[:(](?P<value>[^)]*)\)?)?")


def estimator_of(text: str, loggers: int = 1) -> Estimator:
    """Return the estimator that ``text`` names: ``snips``, ``clipped_ips:10``, ``dros(5)``.

    Parameters
    ----------
    loggers : number of logging policies in the log.

    Raises
    ------
    ConfigError
        There is no such estimator, or its parameter is missing or no number.

    Examples
    --------
    >>> estimator_of("clipped_ips:10").name, estimator_of("snips").needs
    ('clipped_ips(10)', ())
    """
    found = _FORM.fullmatch(text.strip())
    name = found["name"] if found else text
    known = (*PLAIN, *PER_LOGGER, *SHAPED)
    if found is None or name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise ConfigError(
            f"no estimator is called {text!r}",
            "estimators",
            f"one of {', '.join((*PLAIN, *PER_LOGGER, *(f'{n}:NUMBER' for n in SHAPED)))}",
            f"did you mean {near[0]!r}?" if near else "",
        )
    if name in PLAIN or name in PER_LOGGER:
        if found["value"] is not None:
            raise ConfigError(f"{text!r}", "estimators", f"{name}, which has no parameter")
        return PLAIN[name] if name in PLAIN else PER_LOGGER[name](loggers)
    try:
        value = float(found["value"] or "")
    except ValueError:
        raise ConfigError(
            f"{text!r} without a number", "estimators", f"{name}:NUMBER", f"for example {name}:0.5"
        ) from None
    return SHAPED[name](value)

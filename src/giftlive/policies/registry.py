"""Policies by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy
from giftlive.policies.dual_price import DualPrice
from giftlive.policies.greedy import Greedy, GreedyWithCap
from giftlive.policies.softmax import Softmax
from giftlive.policies.uniform import Uniform

POLICIES: dict[str, Callable[..., Policy[Any]]] = {
    "uniform": Uniform,
    "greedy": Greedy,
    "greedy_with_cap": GreedyWithCap,
    "softmax": Softmax,
    "dual_price": DualPrice,
}


def make_policy(name: str, /, **options: Any) -> Policy[Any]:
    """Return the policy called ``name`` with its ``options``.

    Examples
    --------
    >>> make_policy("softmax", temperature=0.1).name
    'softmax'
    """
    if name not in POLICIES:
        raise ConfigError(
            f"no policy is called {name!r}", "policy", f"one of {', '.join(POLICIES)}", _near(name)
        )
    try:
        return POLICIES[name](**options)
    except TypeError as error:
        raise ConfigError(str(error), f"policy {name}", "options of this policy") from error


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, POLICIES, n=1)
    return f"did you mean {near[0]!r}?" if near else ""

"""Study 4.2 again, from the readings of every seed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from giftlive.run.verify.asked import mean_of, share_of
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_POLICIES = ("greedy", "uniform", "oracle_greedy")
_RESPONSES = ("soft", "hard")


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, names = values_of(kept), _classes(result)
    found: dict[str, Recomputed] = {}
    for policy in _POLICIES:
        for response in _RESPONSES:
            row = f"{policy}, {response}"
            for name in names:
                pair = [f"{policy}, {r} / {name} / marginal" for r in (response, "none")]
                found[f"kept / {row} / {name}"] = share_of(values, *pair)
            for kind in ("paired", "plain"):
                slope = mean_of(values, f"{row} / elasticity / {kind}")
                found[f"elasticity / {row} / {kind}"] = slope
        for kind in ("per round", "cumulative"):
            read = f"{policy}, soft / overload / {kind}"
            found[f"overload / {policy} / {kind}"] = mean_of(values, read)
    last = names[-1]
    return found | {
        "soft_elasticity": found["elasticity / greedy, soft / paired"],
        "hard_elasticity": found["elasticity / greedy, hard / paired"],
        "plain_elasticity": mean_of(values, "greedy, none / elasticity / plain"),
        "uniform_soft_elasticity": found["elasticity / uniform, soft / paired"],
        "oracle_soft_elasticity": found["elasticity / oracle_greedy, soft / paired"],
        "soft_kept": found[f"kept / greedy, soft / {last}"],
        "hard_kept": found[f"kept / greedy, hard / {last}"],
        "overload": found["overload / greedy / per round"],
        "overload_cumulative": found["overload / greedy / cumulative"],
    }


def _classes(result: Result) -> list[str]:
    edges = result["config"]["edges"]
    return [f"load {(a + b) / 2:.2f}" for a, b in itertools.pairwise(edges)]


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    names = _classes(result)
    rows = [f"{policy}, {r}" for policy in ("greedy", "uniform") for r in _RESPONSES]
    keys = {row: [f"kept / {row} / {name}" for name in names] for row in rows}
    return {("kept", row): Drawn(names, estimates=keys[row]) for row in rows}


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}

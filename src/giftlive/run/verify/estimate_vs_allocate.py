"""Study 6.1 again, from the readings of every seed: levers as differences of the policies."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.run.verify.asked import share_of
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import ratio_of_sums, ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_ALLOCATORS = ("uniform", "greedy_with_cap", "dual_price", "batch_optimal")
_BANDITS = ("room_thompson", "epsilon_greedy")
_LEARNT = "streamer means by ips"
_BEST = "world / offline optimum / expected"
_LEVERS = {
    "value_lever_capped": ("values, capped", "truth, greedy_with_cap", "model, greedy_with_cap"),
    "value_lever_priced": ("values, priced", "truth, dual_price", "model, dual_price"),
    "allocation_lever": ("allocation, model", "model, dual_price", "model, greedy_with_cap"),
    "allocation_lever_truth": ("allocation, truth", "truth, dual_price", "truth, greedy_with_cap"),
    "allocation_over_values": (
        *("allocation over values", "model, dual_price", "truth, greedy_with_cap"),
    ),
}


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values = values_of(kept)

    def share(name: str) -> Recomputed:
        return share_of(values, f"world / {name} / expected", _BEST)

    found: dict[str, Recomputed] = {}
    for level in _levels(result):
        for allocator in _ALLOCATORS:
            found[f"grid / {level} / {allocator}"] = share(f"{level}, {allocator}")
    for name, (lever, one, other) in _LEVERS.items():
        pair = (values[f"world / {who} / expected"] for who in (one, other))
        first, second = pair
        found[name] = ratio_of_sums(first - second, values[_BEST])
        found[f"levers / {lever} / adds"] = found[name]
    for who in _BANDITS:
        found[f"bandits / {who} / earns"] = share(who)
    return found | {
        "model_capped": share("model, greedy_with_cap"),
        "model_priced": share("model, dual_price"),
        "ips_capped": share(f"{_LEARNT}, greedy_with_cap"),
        "thompson": share("room_thompson"),
        "epsilon_greedy": share("epsilon_greedy"),
    }


def _levels(result: Result) -> list[str]:
    known = {1.0: "model", 0.0: "truth"}
    drawn = [known.get(x, f"errors x{x:g}") for x in result["config"]["factors"]]
    return [*drawn, "flat", _LEARNT]


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    levels = _levels(result)
    keys = {a: [f"grid / {level} / {a}" for level in levels] for a in _ALLOCATORS}
    return {("grid", a): Drawn(levels, estimates=keys[a]) for a in _ALLOCATORS}


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the check that the kept readings decide."""
    return {"a_a": ties(values_of(kept))}

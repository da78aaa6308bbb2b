"""What a policy is worth in a world: expected revenue per evening, with its Monte-Carlo error.

Evening k of seed s_k is one independent draw of who comes and what they do::

    V(policy) = E[revenue of an evening] ~ mean over k of sum_i E[amount_i | shown, state]

The inner expectation is exact (Rao-Blackwell), so that the luck of single gifts is not in the
error; the realised revenue has the same mean. Two policies on the same seeds meet the same
evenings: their difference is ``Evenings.gain_over``, and identical policies tie exactly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from giftlive.errors import UsageError
from giftlive.evaluation.rollout import Policy, Valuer, play
from giftlive.evaluation.version import version_of
from giftlive.stats.intervals import Interval, paired_t, student_t
from giftlive.types import Floats, Observation, Progress, silent
from giftlive.world import World, make_arena, true_seat_seconds, true_value


@dataclass(frozen=True)
class TrueValuer:
    """The truth about every candidate in an otherwise empty room, for ``oracle_*`` policies."""

    world: World

    def __call__(self, observation: Observation, /) -> tuple[Floats, Floats]:
        """Return exact values and seat seconds [n, m]; 0 at padding."""
        asked = self.world, observation.user[:, None], observation.rooms, observation.ts[:, None]
        return true_value(*asked), true_seat_seconds(*asked)


@dataclass(frozen=True)
class Evenings:
    """One policy on several evenings.

    Attributes
    ----------
    seeds : [n] of the evenings. expected, realised : [n] revenue of each, platform units.
    """

    seeds: tuple[int, ...]
    expected: Floats
    realised: Floats

    def value(self) -> Interval:
        """Estimate the expected revenue per evening."""
        return student_t(self.expected, n_unit="evenings")

    def realised_value(self) -> Interval:
        """Estimate the same mean from realised amounts, luck included."""
        return student_t(self.realised, n_unit="evenings")

    def gain_over(self, other: Evenings) -> Interval:
        """Estimate the mean difference in expected revenue per evening, paired by seed."""
        if self.seeds != other.seeds:
            raise UsageError("two sets of evenings", "gain_over", "the same seeds in both")
        return paired_t(self.expected, other.expected, n_unit="evenings")


def arena_value(
    world: World,
    policy: Policy,
    valuer: Valuer,
    seeds: Sequence[int],
    *,
    jobs: int = 1,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Interval:
    """Estimate the expected revenue per evening of ``policy`` in ``world``.

    Student's interval over evenings; see ``play_evenings`` for the parameters.

    Examples
    --------
    >>> from giftlive.policies import Uniform
    >>> from giftlive.world import build_world, load_scenario
    >>> world = build_world(load_scenario("scarce", "tiny", {"calendar.history_days": "1"}), 1)
    >>> value = arena_value(world, Uniform(), TrueValuer(world), seeds=range(3))
    >>> value.n, value.n_unit, value.low < value.value < value.high
    (3, 'evenings', True)
    """
    return play_evenings(
        world, policy, valuer, seeds, jobs=jobs, folder=folder, progress=progress
    ).value()


def play_evenings(
    world: World,
    policy: Policy,
    valuer: Valuer,
    seeds: Sequence[int],
    *,
    jobs: int = 1,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Evenings:
    """Play ``policy`` on one evening per seed.

    Parameters
    ----------
    valuer : what the policy sees of values and seat times.
    seeds : of the evenings, distinct. The result does not depend on ``jobs``.
    folder : where finished evenings are kept, a file each; a second call plays only those that
        are missing. They are found again by everything that makes them: the world, the policy
        and the valuer, which must then be dataclasses, and the version of the package.

    Raises
    ------
    UsageError
        A seed occurs twice, or a folder is given for a valuer or policy without a value.
    """
    names = tuple(int(seed) for seed in seeds)
    if len(set(names)) < len(names):
        raise UsageError("the same evening twice", "seeds", "distinct seeds")
    kept = None if folder is None else _shelf(Path(folder), world, policy, valuer)
    calls = (delayed(_evening)(world, policy, valuer, seed, kept) for seed in names)
    found: list[tuple[float, float]] = []
    for evening in Parallel(n_jobs=jobs, return_as="generator")(calls):
        found.append(evening)
        progress(len(found), len(names))
    expected, realised = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return Evenings(names, expected.copy(), realised.copy())


def _shelf(folder: Path, world: World, policy: Policy, valuer: Valuer) -> Path:
    """Return the folder of these evenings, by the version of all that makes them."""
    for name, part in (("policy", policy), ("valuer", valuer)):
        if not is_dataclass(part):
            raise UsageError(
                f"{name} {part!r} cannot be recognised in a later call",
                "folder",
                "a frozen dataclass",
                "leave folder out",
            )
    makers = (world.scenario.fingerprint, world.seed, world.scene, policy, valuer)
    shelf = folder / version_of(makers)
    shelf.mkdir(parents=True, exist_ok=True)
    return shelf


def _evening(
    world: World, policy: Policy, valuer: Valuer, seed: int, kept: Path | None
) -> tuple[float, float]:
    """Return (expected, realised) revenue of one evening, played now or before."""
    file = None if kept is None else kept / f"{seed}.json"
    if file is not None and file.exists():
        known = json.loads(file.read_text(encoding="utf-8"))
        return known["expected"], known["realised"]
    arena = make_arena(world, seed)
    outcome, _ = play(arena, policy, valuer, arena.seats, seed)
    expected, realised = outcome.expected_revenue, outcome.revenue
    if file is not None:
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({"expected": expected, "realised": realised}))
        partial.replace(file)
    return expected, realised

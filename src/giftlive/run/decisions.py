"""Decision logs of the built-in world, through the same cached steps as a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giftlive.config import RunConfig
from giftlive.evaluation.logged_evenings import LoggingPolicy, Written, log_evenings
from giftlive.run import steps
from giftlive.run.cache import Cache, default_cache
from giftlive.run.canonical import canonical_json
from giftlive.run.choices import check_choices
from giftlive.run.folder import DECISIONS, atomic_folder, check_target
from giftlive.run.manifest import code_version
from giftlive.run.progress import Reporter
from giftlive.run.steps import Workshop


@dataclass(frozen=True)
class LogRequest:
    """Whose evenings are to be logged, how many, and where to."""

    policy: LoggingPolicy
    evenings: int
    out: Path
    config: RunConfig
    overwrite: bool = False
    cache: Path | None = None


def write_decisions(request: LogRequest) -> dict[str, Any]:
    """Write decision logs into a folder, whole or not at all; return what was written.

    Raises
    ------
    UsageError
        The target is something else than an old folder of decision logs.
    ConfigError
        There is no such policy, option or world.
    """
    check_target(request.out, request.overwrite, DECISIONS)
    check_choices(request.config)
    shop = Workshop(Cache(request.cache or default_cache()), request.config, Reporter())
    evening, seed = steps.evening(shop), request.config.seed
    with atomic_folder(request.out, request.overwrite, DECISIONS) as folder:
        with shop.reporter.step("decisions") as step:
            found = log_evenings(
                evening, request.policy, request.evenings, seed, folder, step.listener
            )
        facts = _facts(request, found) | {"world": evening.describe()}
        (folder / DECISIONS.marker).write_text(canonical_json(facts), encoding="utf-8")
    return facts


def _facts(request: LogRequest, found: Written) -> dict[str, Any]:
    return {
        "files": [path.name for path in found.files],
        "policy": request.policy.name,
        "options": dict(request.policy.options),
        "explore": request.policy.explore,
        "evenings": request.evenings,
        "seed": request.config.seed,
        "decisions": found.decisions,
        "users": found.users,
        "gifts_per_decision": found.gifts,
        "amount_per_decision": found.amount,
        "code_version": code_version(),
    }

"""A study of your own, with a gate written beforehand: python examples/own_study.py

The question: do givers come back? Is the share of givers who give again on a later day above one
in ten? Rule first, checks before the outcome, then the verdict. A study that should stand in the
report also enters ``STUDIES`` and writes its sentences (docs/extending.md).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from giftlive.config import RunConfig
from giftlive.evaluation import checks
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import StudyResult
from giftlive.logs.ingest import ingest
from giftlive.logs.store import Store
from giftlive.stats.intervals import proportion
from giftlive.studies.context import Context, Kind, estimate
from giftlive.types import Message
from giftlive.world import build_world, load_scenario, write_twin

RULE = """
[again]
study = "again"
kind = "above"
estimate = "givers_who_give_again"
threshold = 0.1
rule = "of the users who give, at least one in ten gives again on a later day"
as_published = "none"
on_pass = "value a giver beyond tonight"
on_fail = "value tonight alone"
[again.checks.a_a]
[again.checks.movable]
smallest = 0.01
[again.checks.power]
detects = 0.1
sd = 0.4
chance = 0.8
"""

DAYS = "select user_id, count(distinct ts // 86400000) from gift group by 1 order by 1"


@dataclass(frozen=True)
class Again:
    """Givers who give again on a later day, and the same among heavy givers."""

    name: str = "again"
    id: str = "x.1"
    needs: tuple[str, ...] = ("gift",)
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Count days with a gift by user; check; judge."""
        rule = load_rules(RULE)["again"]
        days = np.array([row[1] for row in context.store.connect().execute(DAYS).fetchall()])
        again, n = int(np.sum(days > 1)), len(days)
        found = proportion(again, n, n_unit="users")
        number = estimate(
            *("givers_who_give_again", found, Kind("proportion", "common")),
            unit="share",
            denominator="users with a gift",
            population="users of the log with a gift",
        )
        made = (
            checks.a_a([again == int(np.sum(days > 1))], "the same count twice"),
            checks.movable(found, "against nobody", **rule.asked("movable")),
            checks.power(n, "users", **rule.asked("power")),
        )
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.again.question", {}),
            seed=context.config.seed,
            config={},
            inputs=context.inputs(),
            code_version=context.code_version,
            checks=made,
            estimates=(number,),
            gates=(judge(rule, [number], made),),
        )


def main(folder: Path) -> StudyResult:
    """Make logs of a tiny world, read them, and ask."""
    write_twin(build_world(load_scenario("kuailive", "tiny"), seed=1), folder / "LOGS")
    ingest(folder / "LOGS", folder / "STORE")
    context = Context(RunConfig(), Store.open(folder / "STORE"), folder, "examples")
    return Again().run(context)


if __name__ == "__main__":
    result = main(Path(sys.argv[1] if len(sys.argv) > 1 else "EXAMPLE"))
    print(result.estimates[0])
    print(result.gates[0].verdict, "-", result.gates[0].reason)

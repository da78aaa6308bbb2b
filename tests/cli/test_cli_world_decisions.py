"""Two commands of a newcomer: a decision log from a world, and what another policy would earn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Cli = Callable[..., CompletedProcess[str]]
TINY = (
    *("--set", "world.sizes.users=200", "--set", "world.sizes.streamers=8"),
    *("--set", "world.calendar.history_days=4"),
)


def test_a_log_is_written_and_judged(cli: Cli) -> None:
    done = cli("world", "decisions", "--out", "LOG", *TINY, "--set", "temperature=1.5", "--seed", 7)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].endswith("next: giftlive ope --log LOG --policy greedy")
    assert sorted(p.name for p in Path("LOG").iterdir()) == ["decision.parquet", "decisions.json"]
    facts = json.loads(Path("LOG/decisions.json").read_text())
    assert facts["options"] == {"temperature": "1.5"}
    judged = json.loads(cli("ope", "--log", "LOG", "--policy", "uniform", "--json").stdout)
    assert judged["log"]["decisions"] == facts["decisions"] > 200
    assert judged["log"]["policy"].startswith("softmax, version ")
    assert judged["estimates"][0]["value"] > 0.0

    again = cli("world", "decisions", "--out", "LOG", *TINY, "--seed", 7)
    assert again.returncode == 2
    assert "the folder of decision logs exists" in again.stderr


def test_mistakes_leave_nothing(refused: Callable[..., str]) -> None:
    log = "world", "decisions", "--out", "LOG", *TINY
    assert "did you mean 'greedy'?" in refused(*log, "--policy", "gredy")
    assert "a share in [0, 1]" in refused(*log, "--explore", "2")
    assert "absent" in refused(*log, "--preset", "absent")
    assert "rounds" in refused(*log, "--preset", "v2")

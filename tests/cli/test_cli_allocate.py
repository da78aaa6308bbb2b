"""``giftlive allocate``: a setting on a small world, as lines, JSON or a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from giftlive.evaluation.what_if import FAIRNESS, Knobs, Market, Position, play_position
from giftlive.rng import derive

Cli = Callable[..., CompletedProcess[str]]

CURRENT = json.dumps({"name": "greedy_with_cap"})


def test_lines_count_the_rollouts_and_end_with_the_result(cli: Cli) -> None:
    done = cli("allocate", "--frontier", "--lines", "--seeds", 2, "--fairness", 1, "--whale-cap", 2,
               "--policy", CURRENT)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    total = 2 * (len(FAIRNESS) + 1)
    compiled = lines[0].pop("compiled")
    assert isinstance(compiled, bool)
    assert lines[0] == {"done": 0, "total": total, "worlds": 2}
    assert lines[1:-1] == [{"done": k + 1, "total": total} for k in range(total)]
    result = lines[-1]["result"]
    levels = [point["knobs"]["fairness"] for point in result["frontier"]]
    assert levels == sorted(FAIRNESS)
    chosen = next(p for p in result["frontier"] if p["knobs"] == result["chosen"]["knobs"])
    assert chosen["measures"] == result["chosen"]["measures"]
    assert result["current"]["spec"] == {"name": "greedy_with_cap"}


def test_the_numbers_are_those_of_the_evaluation(cli: Cli) -> None:
    done = cli("allocate", "--json", "--seeds", 2, "--seed", 5, "--cold-start", 0.1,
               "--exploration", 0.05)  # fmt: skip
    found = json.loads(done.stdout)["chosen"]["measures"]
    markets = [Market.of(derive(5, "what if", k)) for k in range(2)]
    point = play_position(Position(Knobs(cold_start=0.1, exploration=0.05)), markets)
    for name, said in found.items():
        mean = point.mean(name)
        assert (said["value"], said["low"], said["high"]) == (mean.value, mean.low, mean.high)


def test_a_table_for_people(cli: Cli) -> None:
    done = cli("allocate", "--seeds", 2, "--policy", CURRENT)
    first, *rows = done.stdout.splitlines()
    assert first.split()[:2] == ["setting", "revenue"]
    assert [row.split()[0] for row in rows] == ["chosen", "current"]


@pytest.mark.parametrize(
    "words",
    [
        ["--policy", "{"],
        ["--policy", '{"name": "nobody"}'],
        ["--cold-start", "2"],
        ["--whale-cap", "-1"],
    ],
)
def test_what_cannot_be_played_is_refused(cli: Cli, words: list[str]) -> None:
    done = cli("allocate", "--seeds", 2, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr

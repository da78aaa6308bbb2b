"""Every Python block of the documentation runs; every command in it exists with its options."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts.reference.commands import commands as program
from tests.docs.blocks import ROOT, Block, blocks, commands

from giftlive import ope
from giftlive.logs.decisions import DecisionWriter
from giftlive.logs.ingest import ingest
from giftlive.logs.readers.registry import READERS
from giftlive.logs.template import write_template
from giftlive.models.trivial import TrivialRanker
from giftlive.policies import Greedy
from giftlive.testing import POLICY_CHECKS, check_estimator, check_policy, make_decisions
from giftlive.world import load_scenario

Namespace = dict[str, Any]

ELSEWHERE = {
    "docs/tables.md-python-0": "tests/tables/test_tables_online.py",
    "docs/truth.md-python-1": "tests/world/test_world_gym.py",
}
"""Blocks that a test of their own runs, which reads them from the page."""

COMPILED = {
    "docs/service.md-python-0": "examples/serve_and_decide.py makes the same calls",
}
"""Blocks that are compiled and not run, and why."""

NEEDS = {"docs/neural.md-python-0": "torch"}
"""Blocks that need something that is not installed by ``dev``; without it they are compiled."""

SLOW = {"docs/world.md-python-0", "docs/extending.md-python-0", "docs/truth.md-python-0"}


def _arrays(folder: Path) -> Namespace:
    rng = np.random.default_rng(1)
    n, m = 400, 3
    q = rng.random((n, m))
    action = rng.integers(0, m, n)
    return {
        "reward": (rng.random(n) < 0.3).astype(float),
        "propensity": np.full(n, 1 / m),
        "target_probability": np.eye(m)[q.argmax(axis=1)],
        "action": action,
        "q": q,
        "user": np.arange(n) // 4,
    }


def _decisions(folder: Path) -> Namespace:
    log = make_decisions(1)
    single = log.rows((log.position < 0) & log.matured)
    with DecisionWriter(folder / "decision.parquet") as writer:
        writer.append(single)
    return {"target": lambda given: given.propensities}


def _template(folder: Path) -> Namespace:
    write_template(folder / "MINE")
    return {}


def _parts(folder: Path) -> Namespace:
    scenario = load_scenario("scarce", "tiny", {"calendar.history_days": "1"})
    return {
        "MyPolicy": Greedy,
        "MY_ESTIMATOR": ope.SNIPS,
        "MyModel": lambda: TrivialRanker("user_past_spend", "user_gift_sum"),
        "my_scenario": scenario,
    }


def _checks(folder: Path) -> Namespace:
    return {"pytest": pytest, "POLICY_CHECKS": POLICY_CHECKS, "MyPolicy": Greedy}


def _nothing(folder: Path) -> Namespace:
    return {}


BEFORE: dict[str, Callable[[Path], Namespace]] = {
    "docs/off-policy.md-python-0": _arrays,
    "docs/decision-log.md-python-0": _decisions,
    "docs/sources.md-python-0": _template,
    "docs/extending.md-python-0": _parts,
    "docs/extending.md-python-1": _checks,
}
"""What a block takes for granted, made in the folder in which it runs."""


def _reader(made: Namespace, folder: Path) -> None:
    (folder / "tips").mkdir()
    rows = "user,room,streamer,ts,cents\n7,1,2,1746374401000,520\n8,1,2,1746374402000,-1\n"
    (folder / "tips" / "tips.csv").write_text(rows, encoding="utf-8")
    READERS["tips"] = made["Tips"]()
    try:
        store = ingest(folder / "tips", folder / "store", max_reject_share=0.5)
    finally:
        del READERS["tips"]
    assert store.source.rows["gift"] == 1
    assert store.source.unit == "cent"


def _model(made: Namespace, folder: Path) -> None:
    x = np.arange(100.0)[:, None]
    fitted = made["Deciles"].fit(x, x[:, 0])
    assert abs(fitted.predict(x).mean() - x.mean()) < 1e-9
    assert fitted.predict(np.array([[5.0]]))[0] < fitted.predict(np.array([[95.0]]))[0]


def _policy(made: Namespace, folder: Path) -> None:
    check_policy(made["FewSeats"], guarded=True)


def _estimator(made: Namespace, folder: Path) -> None:
    check_estimator(made["HALVED"])


def _estimates(made: Namespace, folder: Path) -> None:
    assert [e.estimator for e in made["found"]] == ["snips", "dr", "switch_dr(10)"]


def _filled(made: Namespace, folder: Path) -> None:
    assert ingest(folder / "MINE", folder / "STORE").source.rows["gift"] == 1


def _first_check(made: Namespace, folder: Path) -> None:
    made["test_my_policy"](POLICY_CHECKS[0])


def _unchecked(made: Namespace, folder: Path) -> None:
    """Ask nothing: that the block ran is enough."""


AFTER: dict[str, Callable[[Namespace, Path], None]] = {
    "docs/off-policy.md-python-0": _estimates,
    "docs/sources.md-python-0": _filled,
    "docs/extending.md-python-1": _first_check,
    "docs/extending.md-python-2": _reader,
    "docs/extending.md-python-3": _model,
    "docs/extending.md-python-4": _policy,
    "docs/extending.md-python-5": _estimator,
}
"""What must hold after a block has run: an extension that is not accepted is no example."""


def _cases() -> list[Any]:
    marked = {True: (pytest.mark.slow,), False: ()}
    return [pytest.param(b, id=b.id, marks=marked[b.id in SLOW]) for b in blocks("python")]


@pytest.mark.parametrize("block", _cases())
def test_a_python_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile(block.text, f"{block.page}:{block.line}", "exec", dont_inherit=True)
    if block.id in ELSEWHERE:
        assert Path(block.page).name in (ROOT / ELSEWHERE[block.id]).read_text(encoding="utf-8")
        return
    needed = NEEDS.get(block.id)
    if needed is not None and importlib.util.find_spec(needed) is None:
        pytest.skip(f"compiled only: {needed} is not installed")
    if block.id in COMPILED:
        pytest.skip(f"compiled only: {COMPILED[block.id]}")
    monkeypatch.chdir(tmp_path)
    made: Namespace = {"__name__": "docs", **BEFORE.get(block.id, _nothing)(tmp_path)}
    exec(code, made)
    AFTER.get(block.id, _unchecked)(made, tmp_path)


def test_every_exception_is_about_a_block_that_is_there() -> None:
    """A block that moved would else run without what it needs, or not be looked at."""
    known = {block.id for block in blocks("python")}
    named = {*ELSEWHERE, *COMPILED, *NEEDS, *SLOW, *BEFORE, *AFTER}
    assert named <= known, f"renumber in {Path(__file__).name}: {sorted(named - known)}"


PROGRAM = dict(program())
CALLS = [
    pytest.param(block, line, id=f"{block.id}-{number}")
    for block in blocks("")
    for number, line in enumerate(commands(block))
]


def _options(command: Any) -> set[str]:
    return {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}


@pytest.mark.parametrize(("block", "line"), CALLS)
def test_a_command_in_a_block_exists_with_its_options(block: Block, line: str) -> None:
    words = shlex.split(line.replace(" ...", "").split(";")[0])[1:]
    name = " ".join(words[:2]) if " ".join(words[:2]) in PROGRAM else words[0]
    assert name in PROGRAM, f"{block.page}:{block.line}: no command {name!r}"
    known = _options(PROGRAM[name])
    used = {w.strip("[]").split("=")[0] for w in words if re.match(r"\[?--\w", w)}
    assert used <= known, f"{block.page}:{block.line}: {name} has no {sorted(used - known)}"


def test_toml_blocks_are_toml_that_sets_something() -> None:
    found = blocks("toml")
    assert found
    for block in found:
        assert tomllib.loads(block.text), f"{block.page}:{block.line}"

"""The scripts in ``examples/`` do what they say; the slow ones make a world or start a process."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.blocks import ROOT
from tests.spark import needs_spark

from giftlive.config import load_config
from giftlive.config_rollouts import RiskConfig, SeatsConfig
from giftlive.world import load_scenario

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def load(name: str) -> ModuleType:
    """Return the script as a module, without running it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_script_is_on_the_page_and_in_this_file() -> None:
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES:
        assert f"`examples/{path.name}`" in page
        assert f'load("{path.stem}")' in here


def test_the_estimates_of_the_log_hold_the_truth() -> None:
    said = load("ope_on_a_log").main()
    truth = said.pop("truth")[0]
    assert set(said) == {"ips", "snips", "dr"}
    for value, low, high in said.values():
        assert low < truth < high
        assert low < value < high


def test_the_roadmaps_size_is_that_of_every_study_it_names() -> None:
    path = ROOT / "examples" / "roadmap_size.toml"
    config = load_config(path)
    named = tomllib.loads(path.read_text(encoding="utf-8"))
    assert len(named) == 9
    for study in named:
        asked = getattr(config, study)
        assert asked.seeds >= 50
        if isinstance(asked, SeatsConfig):
            load = getattr(asked, "load", getattr(asked, "judged_load", 1.25))
            assert asked.sizes[:2] == (10_000, 500)
            assert asked.streamers * asked.seats * asked.rounds * load == 10_000
        else:
            scenario = load_scenario(asked.preset, asked.scale, asked.overrides)
            sizes, rounds = scenario.sizes, scenario.rounds
            assert (sizes.users, sizes.streamers) == (10_000, 500)
            days = asked.days if isinstance(asked, RiskConfig) else 1
            assert days * rounds.rounds * rounds.users_per_round >= 10_000


@pytest.mark.slow
def test_the_policy_earns_its_premium() -> None:
    earned = load("own_policy").main()
    assert earned["patient"] != earned["greedy_with_cap"]
    assert min(earned.values()) > 0


@pytest.mark.slow
def test_own_logs_become_a_report(tmp_path: Path) -> None:
    report = load("own_data").main(tmp_path)
    text = report.read_text(encoding="utf-8")
    assert "real logs" in text
    assert "calibrated world" not in text.split("</head>")[1][:5_000]


@pytest.mark.slow
def test_the_service_decides_and_its_log_is_replayed(tmp_path: Path) -> None:
    said = load("serve_and_decide").main(tmp_path)
    assert said["decision"]["ranking"][0]["live_id"] in (101, 102)
    assert said["replayed"]["decisions"] == 1


@pytest.mark.slow
def test_the_study_refuses_to_answer_from_few_users(tmp_path: Path) -> None:
    result = load("own_study").main(tmp_path)
    assert result.gates[0].verdict == "NOT ANSWERABLE"
    assert "power" in result.gates[0].reason


@needs_spark
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_training_on_spark_is_training_in_one_process(tmp_path: Path) -> None:
    pytest.importorskip("xgboost", reason="XGBoost is not installed: scripts/setup dev,spark")
    differences = load("train_on_spark").main(tmp_path)
    assert set(differences) == {"1 workers", "2 workers"}
    assert max(differences.values()) < 1e-5

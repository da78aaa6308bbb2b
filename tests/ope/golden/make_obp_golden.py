"""Ask Open Bandit Pipeline for the golden estimates; writes ``obp.json`` beside this file.

Open Bandit Pipeline pins NumPy < 2, so it runs in an environment of its own:

    python3.11 -m venv obp && obp/bin/pip install "numpy>=1.26,<2" "pandas>=2.1,<3" \
        "scipy>=1.12,<1.16" "scikit-learn<1.7" pyyaml tqdm "seaborn<0.14"
    obp/bin/pip install --no-deps sb-obp==0.5.10
    obp/bin/python tests/ope/golden/make_obp_golden.py

Its estimators need none of torch, pingouin and pyieoe, which it asks for: a stand-in for torch
lets it be imported. Only estimates are kept, and how often its BernoulliTS policy chose each
action in simulation; the Open Bandit data stay where they are, in the package.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np

torch = MagicMock()
torch.utils.data.Dataset = torch.nn.Module = object
sys.modules.update(
    {"torch": torch, "torch.nn": torch.nn, "torch.optim": torch.optim}
    | {"torch.nn.functional": torch.nn.functional}
)
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import obp  # type: ignore[import-not-found]  # noqa: E402
from obp import ope  # noqa: E402
from obp.policy import BernoulliTS  # type: ignore[import-not-found]  # noqa: E402
from tests.ope.golden import inputs  # noqa: E402

SIMULATIONS = 5_000


def weighted(log: dict[str, Any], dist: Any, position: Any = None) -> dict[str, float]:
    """Return the estimates that need no model."""
    common = {"reward": log["reward"], "action": log["action"], "action_dist": dist}
    common |= {"pscore": log["propensity"], "position": position}
    estimators = {
        "ips": ope.InverseProbabilityWeighting(),
        "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
        "clipped_ips(2)": ope.InverseProbabilityWeighting(lambda_=2.0),
        "sub_gaussian_ips(0.2)": ope.SubGaussianInverseProbabilityWeighting(lambda_=0.2),
    }
    return {k: float(e.estimate_policy_value(**common)) for k, e in estimators.items()}


def modelled(log: dict[str, Any], dist: Any, q: Any, position: Any = None) -> dict[str, float]:
    """Return the estimates that need a model."""
    common = {"reward": log["reward"], "action": log["action"], "action_dist": dist}
    common |= {"pscore": log["propensity"], "position": position}
    common |= {"estimated_rewards_by_reg_model": q}
    estimators = {
        "dm": ope.DirectMethod(),
        "dr": ope.DoublyRobust(),
        "sndr": ope.SelfNormalizedDoublyRobust(),
        "clipped_dr(2)": ope.DoublyRobust(lambda_=2.0),
        "switch_dr(2)": ope.SwitchDoublyRobust(lambda_=2.0),
        "dros(10)": ope.DoublyRobustWithShrinkage(lambda_=10.0),
        "sub_gaussian_dr(0.2)": ope.SubGaussianDoublyRobust(lambda_=0.2),
    }
    return {k: float(e.estimate_policy_value(**common)) for k, e in estimators.items()}


def tuned(log: dict[str, Any], dist: Any, q: Any, position: Any = None) -> dict[str, float]:
    """Return what SLOPE chooses, by family."""
    common = {"reward": log["reward"], "action": log["action"], "action_dist": dist}
    common |= {"pscore": log["propensity"], "position": position}
    with_q = common | {"estimated_rewards_by_reg_model": q}
    families = {
        "clipped_ips": (ope.InverseProbabilityWeightingTuning, inputs.CLIPS, common),
        "sub_gaussian_ips": (
            ope.SubGaussianInverseProbabilityWeightingTuning,
            inputs.MIXES,
            common,
        ),
        "clipped_dr": (ope.DoublyRobustTuning, inputs.CLIPS, with_q),
        "switch_dr": (ope.SwitchDoublyRobustTuning, inputs.SWITCHES, with_q),
        "dros": (ope.DoublyRobustWithShrinkageTuning, inputs.SHRINKS, with_q),
        "sub_gaussian_dr": (ope.SubGaussianDoublyRobustTuning, inputs.MIXES, with_q),
    }
    found = {}
    for name, (family, grid, columns) in families.items():
        tuning = family(lambdas=list(grid), tuning_method="slope", delta=0.1)
        value = float(tuning.estimate_policy_value(**columns))
        found[f"{name}({tuning.best_hyperparam:g})"] = value
    return found


def synthetic() -> dict[str, dict[str, float]]:
    """Return the estimates on the generated bandit."""
    log = inputs.bandit()
    dist, q = log["target"][:, :, None], log["q"][:, :, None]
    replay = ope.ReplayMethod().estimate_policy_value(
        reward=log["reward"], action=log["action"], action_dist=log["certain"][:, :, None]
    )
    balanced = ope.BalancedInverseProbabilityWeighting().estimate_policy_value(
        reward=log["reward"],
        action=log["action"],
        action_dist=dist,
        estimated_importance_weights=log["balanced"],
    )
    return {
        "bandit": {**weighted(log, dist), **modelled(log, dist, q), "bipw": float(balanced)},
        "certain": {"replay": float(replay)},
        "slope": tuned(log, dist, q),
    }


def several_loggers() -> dict[str, float]:
    """Return the estimates on the log of two logging policies."""
    log = inputs.loggers()
    common = {"reward": log["reward"], "action": log["action"]}
    common |= {"action_dist": log["target"][:, :, None], "pscore": log["propensity"]}
    common |= {"stratum_idx": log["logger"], "pscore_avg": log["mean_propensity"]}
    common |= {"estimated_rewards_by_reg_model": log["q"][:, :, None]}
    estimators = {
        "ips": ope.MultiLoggersNaiveInverseProbabilityWeighting(),
        "balanced_ips": ope.MultiLoggersBalancedInverseProbabilityWeighting(),
        "weighted_ips(2)": ope.MultiLoggersWeightedInverseProbabilityWeighting(),
        "balanced_dr": ope.MultiLoggersBalancedDoublyRobust(),
    }
    return {k: float(e.estimate_policy_value(**common)) for k, e in estimators.items()}


def marginal() -> dict[str, dict[str, float]]:
    """Return MIPS and its self-normalised form, with one and with both embedding dimensions."""
    log = inputs.embeddings()
    m = log["target"].shape[1]
    found = {}
    for dims in (1, 2):
        width = max(table.shape[1] for table in log["chances"][:dims])
        chances = np.zeros((m, width, dims))
        for d, table in enumerate(log["chances"][:dims]):
            chances[:, : table.shape[1], d] = table
        common = {
            "reward": log["reward"],
            "action": log["action"],
            "action_embed": log["embedding"][:, :dims],
            "pi_b": log["logging"][:, :, None],
            "action_dist": log["target"][:, :, None],
            "p_e_a": chances,
        }
        found[str(dims)] = {
            "mips": float(
                ope.MarginalizedInverseProbabilityWeighting(n_actions=m).estimate_policy_value(
                    **common
                )
            ),
            "snmips": float(
                ope.SelfNormalizedMarginalizedInverseProbabilityWeighting(
                    n_actions=m
                ).estimate_policy_value(**common)
            ),
        }
    return found


def slates() -> dict[str, float]:
    """Return the estimates of the generated slates."""
    log = inputs.slates()
    common = {"slate_id": log["slate"], "action": log["action"], "reward": log["reward"]}
    common |= {"position": log["position"], "q_hat": log["q"].ravel()}
    common |= {"evaluation_policy_action_dist": log["target"].ravel()}
    for ours, theirs in (("slate", ""), ("item", "_item_position"), ("prefix", "_cascade")):
        common[f"pscore{theirs}"] = log[f"{ours}_logging"]
        common[f"evaluation_policy_pscore{theirs}"] = log[f"{ours}_target"]
    places = inputs.PLACES
    estimators = {
        "sips": ope.SlateStandardIPS(len_list=places),
        "iips": ope.SlateIndependentIPS(len_list=places),
        "rips": ope.SlateRewardInteractionIPS(len_list=places),
        "cascade_dr": ope.SlateCascadeDoublyRobust(
            len_list=places, n_unique_action=inputs.SLATE_ITEMS
        ),
        "snsips": ope.SelfNormalizedSlateStandardIPS(len_list=places),
        "sniips": ope.SelfNormalizedSlateIndependentIPS(len_list=places),
        "snrips": ope.SelfNormalizedSlateRewardInteractionIPS(len_list=places),
    }
    return {k: float(e.estimate_policy_value(**common)) for k, e in estimators.items()}


def simulated(campaign: str) -> Any:
    """Return how often BernoulliTS, as run on the site, chose each item at each place."""
    items = {"all": 80, "men": 34, "women": 46}[campaign]
    thompson = BernoulliTS(
        n_actions=items,
        len_list=inputs.PLACES,
        is_zozotown_prior=True,
        campaign=campaign,
        random_state=12345,
    )
    dist = thompson.compute_batch_action_dist(n_rounds=1, n_sim=SIMULATIONS)[0]
    return np.rint(dist * SIMULATIONS).astype(int)


def open_bandit() -> dict[str, Any]:
    """Return the estimates on the Open Bandit data: each policy's log, the other as target."""
    folder = Path(obp.__file__).parent / "dataset" / "obd"
    found: dict[str, Any] = {"simulations": SIMULATIONS, "chosen": {}, "estimates": {}}
    for campaign in inputs.CAMPAIGNS:
        counts = simulated(campaign)
        found["chosen"][campaign] = counts.tolist()
        for behaviour in ("random", "bts"):
            log = inputs.open_bandit(folder, behaviour, campaign)
            n, position = len(log["reward"]), log["position"]
            uniform = np.full(counts.shape, 1.0 / len(counts))
            table = counts / SIMULATIONS if behaviour == "random" else uniform
            dist, q = (np.tile(t, (n, 1, 1)) for t in (table, log["q"]))
            found["estimates"][f"{behaviour}/{campaign}"] = {
                **weighted(log, dist, position),
                **modelled(log, dist, q, position),
            }
    return found


def main() -> None:
    """Write ``obp.json``."""
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    golden = {
        "made by": "make_obp_golden.py",
        "versions": versions | {"sb-obp": metadata.version("sb-obp")},
        **synthetic(),
        "loggers": several_loggers(),
        "embeddings": marginal(),
        "slates": slates(),
        "open_bandit": open_bandit(),
    }
    path = Path(__file__).with_name("obp.json")
    path.write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What can be named on the command line: studies, models, policies, estimators, readers, worlds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.reference.markdown import first_line, page, table

from giftlive import ope
from giftlive.evaluation.rules import load_rules
from giftlive.logs.readers.registry import READERS
from giftlive.models.delay.registry import TREATMENTS
from giftlive.models.registry import MODELS, NEURAL
from giftlive.ope.registry import PER_LOGGER, PLAIN, SHAPED
from giftlive.policies.registry import POLICIES, WRAPPERS
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.world import load_scenario, presets

PATH = "docs/reference/catalogue.md"


def render() -> str:
    """Return the page."""
    intro = (
        "Every name that a command or a setting takes. How to choose: "
        "[a model](../choosing-a-model.md), [a policy](../choosing-a-policy.md), "
        "[an estimator](../choosing-an-estimator.md)."
    )
    return page(
        "Catalogue",
        intro,
        "## Studies",
        "`giftlive study NAME`; the first five make up `giftlive run`.",
        table(["id", "name", "what is compared", "gates"], _studies()),
        "## Gates",
        "The rules are in `evaluation/rules.toml`, written before any run.",
        table(["gate", "study", "rule", "as published"], _gates()),
        "## Value models",
        "`models.names` of the configuration; a trivial ranker ranks by one column.",
        table(["name", "class", "what it is"], _models()),
        "## Treatments of late labels",
        "`delay.names` of the configuration ([late labels](../delay.md)).",
        table(["name"], ([f"`{name}`"] for name in TREATMENTS)),
        "## Policies",
        "`--policy NAME`, `make_policy(NAME)`; `oracle_NAME` is the same policy given true values.",
        table(["name", "what it does"], _described(POLICIES)),
        "## Wrappers",
        "Around any policy, and around each other.",
        table(["name", "what it does"], _described(WRAPPERS)),
        "## Off-policy estimators",
        "`giftlive ope --estimators`; `:NUMBER` is a parameter. The library has more "
        "([off-policy evaluation](../off-policy.md#estimators)).",
        table(["name", "in Python"], _estimators()),
        "## Readers",
        "Recognised by the names of the files in `--source` ([sources](../sources.md)).",
        table(["kind", "needs"], ([f"`{k}`", r.needs] for k, r in READERS.items())),
        "## Worlds",
        "`--preset NAME` ([the world](../world.md#presets)).",
        table(["preset", "mode", "users × streamers at scale 1"], _worlds()),
    )


def _studies() -> Iterator[list[str]]:
    gates = load_rules().values()
    for study in (*STUDIES, *ON_REQUEST):
        judged = ", ".join(f"`{g.id}`" for g in gates if g.study == study.name)
        yield [study.id, f"`{study.name}`", first_line(study), judged or "–"]


def _gates() -> Iterator[list[str]]:
    for rule in load_rules().values():
        yield [f"`{rule.id}`", f"`{rule.study}`", rule.rule, rule.as_published]


def _models() -> Iterator[list[str]]:
    for name, build in (MODELS | NEURAL).items():
        model = build()
        extra = " (extra `neural`)" if name in NEURAL else ""
        yield [f"`{name}`{extra}", f"`{type(model).__name__}`", first_line(model)]


def _described(known: dict[str, Any]) -> Iterator[list[str]]:
    for name, build in known.items():
        yield [f"`{name}`", first_line(build)]


def _estimators() -> Iterator[list[str]]:
    for name, estimator in PLAIN.items():
        yield [f"`{name}`", f"`ope.{_constant(estimator)}`"]
    for name in PER_LOGGER:
        yield [f"`{name}`", f"`ope.{name}(loggers)`"]
    for name, build in SHAPED.items():
        yield [f"`{name}:NUMBER`", f"`ope.{build.__name__}(NUMBER)`"]


def _constant(estimator: object) -> str:
    return next(name for name in ope.__all__ if getattr(ope, name) is estimator)


def _worlds() -> Iterator[list[str]]:
    for name in presets():
        scenario = load_scenario(name)
        sizes = f"{scenario.sizes.users:,} × {scenario.sizes.streamers:,}"
        yield [f"`{name}`", scenario.mode, sizes]

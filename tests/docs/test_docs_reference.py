"""Nothing that can be named is undocumented, and pages made from the code are current."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest
from scripts.reference import architecture, commands, routes, settings
from scripts.reference.pages import PAGES
from tests.docs.blocks import ROOT

from giftlive import metrics
from giftlive.cli.examples import EXAMPLES, SHORT
from giftlive.config import RunConfig
from giftlive.evaluation.rules import load_rules
from giftlive.logs.readers.registry import READERS
from giftlive.models.delay.registry import TREATMENTS
from giftlive.models.registry import MODELS, NEURAL
from giftlive.ope.registry import PER_LOGGER, PLAIN, SHAPED
from giftlive.policies.registry import POLICIES, WRAPPERS
from giftlive.service.settings import ServiceSettings
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.world import presets

DOCS = ROOT / "docs"
STUDY_PAGES = ("how-it-works.md", "allocation-studies.md", "world.md", "delay.md", "neural.md")
PROGRAM = dict(commands.commands())
FUNCTIONS = [name for name in metrics.__all__ if name.islower()]


@lru_cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def codes(*names: str) -> set[str]:
    """Return every word that stands between backquotes on the pages, brackets cut off."""
    text = "\n".join(page(name) for name in names)
    spans = re.findall(r"`([^`\n]+)`", text)
    return {word for span in spans for word in re.findall(r"[\w:.-]+", span)}


NAMED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "study": (
        tuple(study.name for study in (*STUDIES, *ON_REQUEST)),
        (*STUDY_PAGES, "limits.md", "off-policy.md"),
    ),
    "model": ((*MODELS, *NEURAL), ("choosing-a-model.md",)),
    "treatment": (tuple(TREATMENTS), ("choosing-a-model.md",)),
    "policy": ((*POLICIES, *WRAPPERS), ("choosing-a-policy.md",)),
    "estimator": (
        (*PLAIN, *PER_LOGGER, *SHAPED),
        ("choosing-an-estimator.md",),
    ),
    "metric": (tuple(FUNCTIONS), ("metrics.md",)),
    "reader": (tuple(READERS), ("sources.md",)),
    "world": (presets(), ("world.md",)),
}
"""Kind -> what there is, and the pages written by hand that must name each of them."""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, name, id=f"{kind}-{name}")
        for kind, (all_, _) in NAMED.items()
        for name in all_
    ],
)
def test_whatever_can_be_named_is_explained(kind: str, name: str) -> None:
    pages = NAMED[kind][1]
    known = {word.split(":")[0] for word in codes(*pages)}
    assert name in known, f"{kind} {name!r} is on none of docs/{', docs/'.join(pages)}"


def test_every_command_shows_what_to_type_and_its_line_fits_the_list() -> None:
    assert set(EXAMPLES) == set(PROGRAM)
    wrong = {n: e for n, e in EXAMPLES.items() if not all(x.startswith(f"giftlive {n}") for x in e)}
    assert wrong == {}
    assert [line for line in SHORT.values() if len(line) > 63] == []
    assert all(PROGRAM[name].epilog for name in EXAMPLES)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_made_from_the_code_is_current(path: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")
    assert written == PAGES[path](), f"{path} is not current: run python -m scripts.reference"


@pytest.mark.parametrize("name", PROGRAM)
def test_a_command_and_its_options_say_what_they_are_for(name: str) -> None:
    command = PROGRAM[name]
    assert command.help
    silent = [p.opts[0] for p in command.params if not getattr(p, "help", None) and not p.hidden]
    assert silent == [], f"giftlive {name}: help is missing"


@pytest.mark.parametrize(
    "setting",
    [*settings.settings(RunConfig), *settings.settings(ServiceSettings)],
    ids=lambda setting: setting.name,
)
def test_a_setting_says_what_it_means(setting: settings.Setting) -> None:
    assert setting.meaning, f"write a string below {setting.name} where it is declared"


def test_a_call_of_the_service_says_what_it_does_and_is_on_the_page_of_operations() -> None:
    found = list(routes.routes())
    assert len(found) > 20
    assert [path for _, path, says in found if not says] == []
    spans = re.findall(r"`([^`\n]+)`", page("service.md"))
    words = {re.sub(r"\{\w+\}", "{id}", w.split("?")[0]) for span in spans for w in span.split()}
    called = {re.sub(r"\{\w+\}", "{id}", path) for _, path, _ in found if "console" not in path}
    assert [p for p in called if not {p, p.removeprefix("/v1")} & words] == []


def test_every_gate_is_in_the_catalogue() -> None:
    text = page("reference/catalogue.md")
    assert [rule for rule in load_rules() if f"`{rule}`" not in text] == []


def test_the_picture_has_every_layer_of_the_contract() -> None:
    picture = architecture.render()
    boxes = set(re.findall(r'font-weight="600">(\w+)</text>', picture))
    assert boxes == {name for name in architecture.layers() if name not in architecture.GROUND}


def test_every_page_can_be_reached_from_the_navigation() -> None:
    """A page of the site is in the navigation, or it is a decision, which its index lists."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = re.findall(r"'([^']+\.md)'", str(site["nav"]))
    assert len(listed) == len(set(listed))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    decisions = {name for name in pages if re.match(r"decisions/\d", name)}
    assert set(listed) == pages - decisions
    assert [name for name in decisions if Path(name).name not in page("decisions/index.md")] == []

"""The rules file: what it must hold, what is refused, and that its hash sees every change."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from giftlive.errors import ConfigError
from giftlive.evaluation.rules import load_rules, rules_hash, rules_text
from giftlive.run.manifest import manifest
from giftlive.run.progress import Reporter

WORDS = """
study = "x"
rule = "r"
as_published = "p"
on_pass = "adopt"
on_fail = "keep"
"""
ALL = (
    "a_a = {}",
    "movable = { smallest = 0.1 }",
    "power = { detects = 1, sd = 1, chance = 0.8 }",
)
CHECKS = f"checks = {{ {', '.join(ALL)} }}\n"


def rules(body: str, checks: str = CHECKS, words: str = WORDS) -> str:
    return f"[x]{words}{checks}{body}\n"


KINDS = {
    'kind = "above"\nestimate = "e"\nthreshold = 0.9': (0.9, math.inf, False, "above 0.9"),
    'kind = "below"\nestimate = "e"\nthreshold = 0.1': (-math.inf, 0.1, False, "below 0.1"),
    'kind = "within"\nestimate = "e"\nlow = 0.93\nhigh = 0.97': (0.93, 0.97, False, "0.93 to 0.97"),
    'kind = "not_down"\nestimate = "e"\nmargin = 0.01': (
        -0.01,
        math.inf,
        True,
        "above -0.01, relative",
    ),
    'kind = "above"\nestimate = "e"\nthreshold = 0.05\nrelative = true': (
        0.05,
        math.inf,
        True,
        "above 0.05, relative",
    ),
}


@pytest.mark.parametrize("body", KINDS)
def test_every_kind_has_its_passing_region(body: str) -> None:
    (condition,) = load_rules(rules(body))["x"].conditions
    found = (condition.low, condition.high, condition.relative, condition.region)
    assert found == KINDS[body]


ABOVE = 'kind = "above"\nestimate = "e"\nthreshold = 0.9\n'
PART = '{ kind = "above", estimate = "e", threshold = 0.9 }'
REFUSED = {
    "unknown kind 'sideways'": rules('kind = "sideways"'),
    "unknown kind None": rules('estimate = "e"'),
    "threshold is missing": rules('kind = "above"\nestimate = "e"'),
    "high is missing": rules('kind = "within"\nestimate = "e"\nlow = 0.9'),
    "low 0.97 and high 0.93": rules('kind = "within"\nestimate = "e"\nlow = 0.97\nhigh = 0.93'),
    "low 0.9 and high 0.9": rules('kind = "within"\nestimate = "e"\nlow = 0.9\nhigh = 0.9'),
    "margin = -0.01": rules('kind = "not_down"\nestimate = "e"\nmargin = -0.01'),
    "threshold = 'much'": rules('kind = "above"\nestimate = "e"\nthreshold = "much"'),
    "threshold = nan": rules('kind = "above"\nestimate = "e"\nthreshold = nan'),
    "threshold = inf": rules('kind = "above"\nestimate = "e"\nthreshold = inf'),
    "threshold = True": rules('kind = "above"\nestimate = "e"\nthreshold = true'),
    "unknown key 'treshold'.*did you mean threshold": rules(ABOVE + "treshold = 0.8"),
    "unknown key 'high'": rules(ABOVE + "high = 1.0"),
    "unknown key 'threshold'": rules(f'kind = "all_of"\nthreshold = 0.9\nparts = [{PART}, {PART}]'),
    "relative = 1": rules(ABOVE + "relative = 1"),
    "estimate is missing": rules('kind = "above"\nthreshold = 0.9'),
    "on_fail is missing": rules(ABOVE, words=WORDS.replace('on_fail = "keep"\n', "")),
    "rule is ' '": rules(ABOVE, words=WORDS.replace('"r"', '" "')),
    "all_of without its parts": rules('kind = "all_of"'),
    "all_of without.*two or more": rules(f'kind = "all_of"\nparts = [{PART}]'),
    "part 2: unknown kind 'all_of'": rules(
        f'kind = "all_of"\nparts = [{PART}, {{ kind = "all_of" }}]'
    ),
    "part 1: unknown key 'margin'": rules(
        f'kind = "all_of"\nparts = [{PART[:-1]}, margin = 1 }}, {PART}]'
    ),
    "no check a_a, movable, power; expected all of": rules(ABOVE, checks="checks = {}\n"),
    "rule x: no check a_a;": rules(ABOVE, f"checks = {{ {', '.join(ALL[1:])} }}\n"),
    "rule x: no check movable;": rules(ABOVE, f"checks = {{ {ALL[0]}, {ALL[2]} }}\n"),
    "rule x: no check power;": rules(ABOVE, f"checks = {{ {', '.join(ALL[:2])} }}\n"),
    "None is not a table": rules(ABOVE, checks=""),
    "check bindng: unknown check.*did you mean binding": rules(ABOVE, "checks = { bindng = {} }\n"),
    "check movable: smallest is missing": rules(ABOVE, "checks = { movable = {} }\n"),
    "check a_a: unknown key 'tolerance'": rules(ABOVE, "checks = { a_a = { tolerance = 1 } }\n"),
    "check movable: smallest = 0": rules(ABOVE, "checks = { movable = { smallest = 0 } }\n"),
    "check power: chance is missing": rules(ABOVE, "checks = { power = { sd = 1 } }\n"),
    "check power: chance = 80.*below 1": rules(
        ABOVE, "checks = { power = { detects = 1, sd = 1, chance = 80 } }\n"
    ),
    "'a_a' is not a table": rules(ABOVE, 'checks = { a_a = "a_a" }\n'),
    "3 is not a table": "x = 3",
    "not valid TOML": "[x",
}


@pytest.mark.parametrize("message", REFUSED)
def test_an_unclear_rule_is_refused_in_one_sentence(message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_rules(REFUSED[message])


def test_the_example_of_the_documentation_is_a_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(\[concave\]\n.*?)```", page, re.DOTALL)
    (rule,) = load_rules(block).values()
    assert [c.estimate for c in rule.conditions] == ["concave_minus_greedy", "share_of_own_bound"]


def test_a_study_cannot_use_a_check_its_rule_does_not_ask_for() -> None:
    (rule,) = load_rules(rules(ABOVE)).values()
    assert rule.asked("a_a") == {}
    with pytest.raises(ConfigError, match="rule x: no check 'binding'"):
        rule.asked("binding")


def test_any_changed_number_or_word_changes_the_hash() -> None:
    text = rules_text()
    assert rules_hash() == rules_hash(text)
    assert len(rules_hash()) == 32
    for old, new in (("0.90", "0.89"), ("smallest = 0.02", "smallest = 0.01"), ("PASS", "Pass")):
        assert old in text
        assert rules_hash(text.replace(old, new, 1)) != rules_hash()


def test_the_manifest_holds_the_hash() -> None:
    found = manifest("giftlive run", 1, {}, Reporter(), "2026-01-01T00:00:00+00:00")
    assert found["rules_hash"] == rules_hash()

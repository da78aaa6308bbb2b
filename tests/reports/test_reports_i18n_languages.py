"""Every language says the same: the same keys, the same parameters, the same formulas."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from giftlive.errors import IntegrityError
from giftlive.evaluation.checks import exact, movable, power
from giftlive.evaluation.gates import judge
from giftlive.evaluation.results import Check, Estimate, StudyResult
from giftlive.evaluation.rules import Rule, load_rules
from giftlive.reports import i18n, missing_keys
from giftlive.reports.page import Speaker
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.types import Message

EN, ZH = i18n.catalogue("en"), i18n.catalogue("zh")
_HOLES = re.compile(r"\{(\w+)(?::\w+)?\}")
_CODE = re.compile(r"`[^`]*`")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def shape(sentence: str) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return what must survive a translation: parameters with their rules, formulas, code."""
    prose = i18n.MATH.sub("", sentence)
    holes = Counter(match.group() for match in _HOLES.finditer(prose))
    return holes, Counter(i18n.MATH.findall(sentence)), Counter(_CODE.findall(prose))


def test_chinese_has_the_keys_of_english() -> None:
    words = {key for key in ZH if key.startswith(("word.", "phrase."))}
    assert set(ZH) - words == set(EN) - words
    assert set(EN) <= set(ZH)  # a plural that English needs is a word in Chinese as well


@pytest.mark.parametrize("key", sorted(EN))
def test_a_translation_keeps_parameters_formulas_and_code(key: str) -> None:
    assert shape(ZH[key]) == shape(EN[key])


def test_chinese_is_chinese() -> None:
    """A sentence of at least four English words that holds no Han character was forgotten."""
    forgotten = [
        key for key, text in ZH.items() if len(text.split()) >= 4 and not _HAN.search(text)
    ]
    assert forgotten == []


@pytest.mark.parametrize("rule", load_rules().values(), ids=lambda rule: str(rule.id))
def test_the_words_of_a_rule_are_told_in_chinese(rule: Rule) -> None:
    """A rule that was rewritten is found here: its old translation no longer fits."""
    for text in (rule.rule, rule.as_published, rule.on_pass, rule.on_fail):
        assert _HAN.search(i18n.phrases("zh")(text)), text


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.6), (-0.6, -0.5), (-0.5, 0.5)])
def test_the_reason_of_every_verdict_is_told_in_chinese(low: float, high: float) -> None:
    rule = load_rules()["baseline"]
    checks = tuple(Check(name, True, 0.0, "", "") for name in rule.checks)
    value = (low + high) / 2 + 0.01
    found = Estimate(rule.estimate, value, low, high, "t", 50, "users", "share", "all", "all")
    gate = judge(rule, found, checks)
    assert _HAN.search(i18n.phrases("zh")(gate.reason)), gate.reason
    assert not re.search("interval|border|region|decide", i18n.phrases("zh")(gate.reason))


def test_failed_checks_are_told_in_chinese_each_with_its_detail() -> None:
    made = (
        power(20, "evenings", detects=0.001, sd=0.02, chance=0.8),
        movable(exact(0.01, "worlds"), "a against b", smallest=0.05),
    )
    reason = judge(load_rules()["shadow_price"], None, made).reason
    told = i18n.phrases("zh")(reason)
    assert told.startswith("检查未通过：")
    assert "用 20 个晚上，在 80% 的情形里能看出的最小效应是 " in told
    assert "（未做）" in told
    assert not re.search("not made|chance|needed", told)


def test_a_text_without_a_translation_stays_as_it_is() -> None:
    assert i18n.phrases("zh")("a sentence nobody translated") == "a sentence nobody translated"


def test_every_study_of_the_registry_has_its_question_and_symbols_in_the_catalogue() -> None:
    for study in (*STUDIES, *ON_REQUEST):
        assert f"study.{study.name}.question" in EN
        assert any(key.startswith(f"study.{study.name}.symbols.") for key in EN), study.name


def test_every_study_can_be_told_in_chinese(all_studies: tuple[StudyResult, ...]) -> None:
    assert missing_keys(all_studies, "zh") == []


@pytest.mark.parametrize(
    "claim", ["so it is on KuaiLive", "在 KuaiLive 上如此", "在KuaiLive上如此"]
)
def test_no_language_claims_a_result_about_another_source(claim: str) -> None:
    said = Message("free", {"text": claim})
    with pytest.raises(IntegrityError, match="KuaiLive"):
        Speaker("zh", is_kuailive=False)(said)
    assert Speaker("zh", is_kuailive=True)(said) == claim


@pytest.mark.parametrize("rule", load_rules().values(), ids=lambda rule: str(rule.id))
def test_the_number_on_the_board_says_what_it_is(rule: Rule) -> None:
    names = [condition.estimate for condition in rule.conditions]
    assert [name for name in names if f"quantity.{name}" not in EN] == []

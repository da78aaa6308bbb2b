"""Every language says the same: the same keys, the same parameters, the same formulas."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from giftlive.errors import IntegrityError
from giftlive.evaluation.results import StudyResult
from giftlive.reports import i18n, missing_keys
from giftlive.reports.page import Speaker
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
    words = {key for key in ZH if key.startswith("word.")}
    assert set(ZH) - words == set(EN)


@pytest.mark.parametrize("key", sorted(EN))
def test_a_translation_keeps_parameters_formulas_and_code(key: str) -> None:
    assert shape(ZH[key]) == shape(EN[key])


def test_chinese_is_chinese() -> None:
    """A sentence of at least four English words that holds no Han character was forgotten."""
    forgotten = [
        key for key, text in ZH.items() if len(text.split()) >= 4 and not _HAN.search(text)
    ]
    assert forgotten == []


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

from __future__ import annotations

import json

import pytest

from giftlive.errors import ConfigError, UsageError
from giftlive.evaluation.results import Estimate, StudyResult, Table
from giftlive.reports import i18n, missing_keys, translate
from giftlive.reports.load import study_from_dict
from giftlive.reports.page import Speaker, study_page
from giftlive.types import Message

ESTIMATE = Estimate("x", 0.6, 0.5, 0.7, "t", 9, "users", "share", "all", "all")


def test_a_sentence_takes_its_parameters_by_rule() -> None:
    message = Message(
        "free", {"text": "{a:percent} of {n:count}, {b}", "a": 0.25, "n": 1e4, "b": "x"}
    )
    assert translate(message).replace("\u202f", " ") == "25 % of 10,000, x"


def test_an_estimate_brings_its_interval_and_a_message_its_sentence() -> None:
    inner = Message("free", {"text": "inner {v}", "v": 3})
    message = Message("free", {"text": "{e} and {m}", "e": vars(ESTIMATE), "m": inner})
    assert translate(message).replace("\u202f", " ") == "60 % [50, 70] and inner 3"
    written = Message("free", {"text": "{m}", "m": {"key": "free", "params": inner.params}})
    assert translate(written) == "inner 3"


def test_braces_of_a_formula_belong_to_the_formula() -> None:
    message = Message("free", {"text": r"$\frac{n}{m}$ {n} $$\hat{n}$$", "n": 5})
    assert translate(message) == r"$\frac{n}{m}$ 5 $$\hat{n}$$"


def test_what_stands_between_two_words_keeps_its_space() -> None:
    assert i18n.catalogue("en")["chrome.comma"] == i18n.catalogue("en")["chrome.aside"] == ", "
    assert not [
        k for k, text in i18n.catalogue("en").items() if text != text.strip() and text != ", "
    ]


def test_money_is_not_a_formula() -> None:
    assert i18n.MATH.search("US$5 and US$6, or $5 and $6") is None


def test_a_missing_key_shows_itself_and_fails_when_strict() -> None:
    assert translate(Message("no.such.key", {})) == "[no.such.key]"
    with pytest.raises(ConfigError, match=r"no\.such\.key"):
        translate(Message("no.such.key", {}), strict=True)
    with pytest.raises(ConfigError, match="parameter n"):
        translate(Message("free", {"text": "{n}"}), strict=True)


def test_an_unknown_rule_or_language_is_named() -> None:
    with pytest.raises(ConfigError, match="bogus"):
        translate(Message("free", {"text": "{n:bogus}", "n": 1}))
    with pytest.raises(UsageError, match="one of en"):
        i18n.catalogue("tlh")


def test_missing_keys_finds_what_cannot_be_told(all_studies: tuple[StudyResult, ...]) -> None:
    assert missing_keys(all_studies, "en") == []
    result = StudyResult(
        "s", "9", Message("lost.question", {}), 0, {}, {}, "",
        text={
            "finding": (Message("free", {"text": "{gone} $x_{n}$"}),),
            "limits": (Message("free", {"text": "{m}", "m": Message("lost.inner", {})}),),
            "consensus": (Message("rows.only", {"claim": "c"}),),
        },
    )  # fmt: skip
    cells = ["rows.only.decision", "rows.only.evidence"]  # one of three is not a row
    expected = ["free {gone}", "lost.inner", "lost.question", *cells]
    assert missing_keys([result], "en") == expected
    assert missing_keys([result.as_dict()], "en") == expected


def test_every_word_of_the_frame_can_be_said_without_markup() -> None:
    for key, sentence in i18n.catalogue("en").items():
        assert sentence, key
        assert "<" not in sentence, key


def test_a_row_prefers_its_own_sentence_to_its_parameter() -> None:
    message = Message("chrome.column", {"claim": "raw"})
    assert i18n.part(message, "claim", "en") == "claim"
    assert i18n.part(Message("other", {"claim": "raw"}), "claim", "en") == "raw"
    assert i18n.part(Message("other", {}), "claim", "en") == ""


def test_a_cell_may_be_a_sentence_by_key() -> None:
    """It survives JSON, is translated when printed, and is missed when its key is not there."""
    known = Message("audit.orphan_gifts.clean", {"n": 0, "d": 1_234})
    table = Table("t", ("a", "b"), ("", ""), (("x", known), ("y", Message("no.such", {}))), known)
    result = StudyResult("s", "9", known, 1, {}, {}, "v", tables=(table,))
    again = study_from_dict(json.loads(json.dumps(result.as_dict())))
    assert again.tables == result.tables
    assert missing_keys([again], "en") == ["no.such"]
    page = study_page(again, Speaker("en", is_kuailive=False), {})
    assert page.tables[0].cells[0] == ("x", translate(known))
    assert "0 of 1" in page.tables[0].cells[0][1]

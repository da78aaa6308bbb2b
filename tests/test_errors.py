from pathlib import Path

import pytest

from giftlive import errors
from giftlive.client.calls import ServiceError
from giftlive.service.desk import ConflictError


def leaves(kind: type[errors.GiftLiveError]) -> set[type[errors.GiftLiveError]]:
    return {kind} | {leaf for sub in kind.__subclasses__() for leaf in leaves(sub)}


def test_every_error_has_the_exit_code_its_docstring_draws() -> None:
    drawn = {
        line.split("exit")[0].strip(" │├└─"): int(line.split("exit")[1].split()[0])
        for line in (errors.__doc__ or "").splitlines()
        if "──" in line
    }
    actual = {kind.__name__: kind.exit_code for kind in leaves(errors.GiftLiveError)}
    actual.pop("GiftLiveError")
    assert {ServiceError.__name__, ConflictError.__name__} < set(actual)  # of modules of their own
    assert drawn == actual


def test_a_message_is_one_paragraph_with_place_expectation_and_hint() -> None:
    where = errors.Where("gift.csv", 7, "gift_price")
    error = errors.InputError("negative amount -3", where, "an integer >= 0", "drop the row")
    assert str(error) == (
        "gift.csv, line 7, column gift_price: negative amount -3; expected an integer >= 0."
        " Hint: drop the row"
    )
    assert error.as_dict()["where"] == "gift.csv, line 7, column gift_price"


def test_parts_that_are_absent_leave_no_trace() -> None:
    assert str(errors.UsageError("no input")) == "no input"


def test_an_extra_comes_by_the_script_in_a_clone_and_from_the_wheel_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert errors.install_hint("gym") == "run `scripts/setup gym`"
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "site-packages/giftlive/errors.py"))
    assert "FILE[gym]" in errors.install_hint("gym")

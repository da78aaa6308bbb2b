"""Policies alone, uncertain and wrapped through every public check and promise of this folder."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from tests.policies import promises
from tests.policies.variants import (
    ALONE,
    BY_ROOM,
    GUARDED,
    SILENT_WITHOUT_SEATS,
    UNCERTAIN,
    WRAPPED,
)

from giftlive.testing import ANONYMOUS_CHECKS, POLICY_CHECKS, SEAT_CHECKS

POLICIES = ALONE | UNCERTAIN | WRAPPED
every = pytest.mark.parametrize("name", POLICIES)
anonymous = pytest.mark.parametrize("name", [name for name in POLICIES if name not in BY_ROOM])


def checks(*which: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("check", which, ids=lambda check: check.__name__)


@every
@checks(*POLICY_CHECKS)
def test_public_promises(name: str, check: Any) -> None:
    check(partial(POLICIES[name], 1.0))


@anonymous
@checks(*ANONYMOUS_CHECKS)
def test_anonymous_promises(name: str, check: Any) -> None:
    check(partial(POLICIES[name], 1.0))


@pytest.mark.parametrize("name", [name for name in POLICIES if name in GUARDED])
@checks(*SEAT_CHECKS)
def test_guarded_promises(name: str, check: Any) -> None:
    check(partial(POLICIES[name], 1.0))


@anonymous
def test_rooms_keep_no_names_over_an_evening(name: str) -> None:
    promises.same_choices_under_other_names(POLICIES[name])


@every
@checks(
    promises.same_choices_in_any_currency,
    promises.nothing_to_choose_from,
    promises.no_room_at_all,
    promises.a_room_nobody_told_of_is_refused_or_needs_no_memory,
    promises.numbers_at_padding_are_not_read,
    promises.a_value_that_is_no_number_is_refused,
    promises.charges_explain_the_score,
)
def test_promises_of_all(name: str, check: Any) -> None:
    check(POLICIES[name])


@every
def test_no_seat_anywhere(name: str) -> None:
    promises.no_seat_anywhere(POLICIES[name], name in SILENT_WITHOUT_SEATS)

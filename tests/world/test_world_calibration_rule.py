"""The pass rule, number by number, and which folders it judges."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from giftlive.errors import UsageError
from giftlive.world.calibration import Check, Measured, Reading, Target, check, targets
from giftlive.world.calibration.measured import SIZES
from giftlive.world.calibration.rule import judge

_SHARE = Target("share", (0.5,), "abs", 0.02)
_LAW = Target("law", (10.0, 20.0, 40.0), "rel", 0.1)


def of(*values: float | None) -> list[Reading]:
    return [Reading((value,), reason="" if value is not None else "no rows") for value in values]


def like(name: str, scale: float, **changed: float) -> Measured:
    """Return a folder that shows exactly what is published, but for what is ``changed``."""
    shown = {
        target.name: Reading(tuple(changed.get(target.name, x) for x in target.value))
        for target in (*targets(), *SIZES)
    }
    return Measured(name, name, "", scale, shown)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(0.52, "pass"), (0.48, "pass"), (0.5201, "fail"), (0.4799, "fail"), (0.5, "pass")],
)
def test_one_folder_passes_up_to_the_tolerance_and_not_beyond(
    measured: float, verdict: str
) -> None:
    line = judge(_SHARE, of(measured), 0.2)
    assert line.verdict == verdict
    assert line.error == pytest.approx((measured - 0.5,))
    assert line.error_se == (0.0,)


def test_the_spread_of_seeds_widens_the_tolerance_by_two_standard_errors() -> None:
    # mean 0.55, s.d. 0.02, s.e. of four 0.01 (times sqrt(4/3) below 4): 0.02 + 2 s.e. < 0.05
    near = judge(_SHARE, of(0.53, 0.57, 0.53, 0.57), 0.2)
    assert near.error_se == pytest.approx((0.04 / 3**0.5 / 2,))
    assert near.error == pytest.approx((0.05,))
    assert near.verdict == "fail"
    wide = judge(_SHARE, of(0.52, 0.58, 0.52, 0.58), 0.2)
    assert wide.measured == near.measured
    assert wide.verdict == "pass"  # 0.02 + 2 * 0.0173 >= 0.05


def test_more_seeds_of_the_same_spread_are_judged_more_strictly() -> None:
    assert judge(_SHARE, of(*(0.52, 0.58) * 2), 0.2).verdict == "pass"
    assert judge(_SHARE, of(*(0.52, 0.58) * 8), 0.2).verdict == "fail"


def test_a_list_passes_only_if_every_number_does() -> None:
    assert judge(_LAW, [Reading((11.0, 22.0, 44.0))], 0.2).verdict == "pass"
    for wrong in ((11.1, 22.0, 44.0), (11.0, 22.3, 44.0), (11.0, 22.0, 35.9)):
        assert judge(_LAW, [Reading(wrong)], 0.2).verdict == "fail"
    line = judge(_LAW, [Reading((11.0, 18.0, 40.0))], 0.2)
    assert line.relative
    assert line.error == pytest.approx((0.1, -0.1, 0.0))
    assert line.tolerance == pytest.approx((0.1, 0.1, 0.1))


def test_information_never_fails() -> None:
    line = judge(Target("most", (100.0,), "info"), of(1e9), 1.0)
    assert (line.verdict, line.gated, line.tolerance) == ("info", False, ())


def test_a_value_that_one_folder_lacks_is_undefined_with_its_reason() -> None:
    line = judge(_SHARE, of(0.5, None, 0.5), 0.2)
    assert (line.verdict, line.measured, line.error) == ("undefined", (None,), ())
    assert line.reason == "no rows (1 of 3 folders)"
    assert line.gated
    assert judge(_SHARE, of(None), 0.2).reason == "no rows"


def test_small_folders_say_within_or_outside_and_pass_nothing() -> None:
    assert judge(_SHARE, of(0.5), 0.1).verdict == "within"
    line = judge(_SHARE, of(0.9), 0.1)
    assert (line.verdict, line.gated) == ("outside", False)


def test_what_only_full_size_has_is_information_below_it() -> None:
    density = next(target for target in targets() if target.scope == "full")
    assert judge(density, of(1.0), 0.2).verdict == "info"
    assert judge(density, of(1.0), 1.0).verdict == "fail"


def test_the_published_values_themselves_pass_everything() -> None:
    found = check([like("a", 1.0)])
    assert found.holds
    assert found.counts["fail"] == found.counts["undefined"] == 0
    assert found.counts["pass"] == sum(target.kind != "info" for target in targets())
    assert [line.target for line in found.lines[-len(SIZES) :]] == [size.name for size in SIZES]


def test_sizes_are_shown_at_full_scale_only() -> None:
    sizes = {size.name for size in SIZES}
    assert not sizes & {line.target for line in check([like("a", 0.2)]).lines}


@pytest.mark.parametrize(
    ("users", "judged", "full"),
    [(3_565, False, False), (3_570, True, False), (22_580, True, False), (22_590, True, True)],
)
def test_the_number_of_users_decides_what_is_judged(users: int, judged: bool, full: bool) -> None:
    found = check([like("a", users / 23_772)])
    assert found.judged == judged
    assert ("users" in {line.target for line in found.lines}) == full


def test_one_wrong_or_missing_value_breaks_the_whole_where_it_is_judged() -> None:
    wrong = like("a", 0.2, user_gini=0.9)
    assert not check([wrong]).holds
    assert check([replace(wrong, scale=0.05)]).holds
    assert check([like("a", 0.2, amount_max=1.0)]).holds
    gone = like("a", 0.2)
    gone.readings["user_gini"] = Reading((None,), reason="there are no gift rows")
    assert not check([gone]).holds


def test_every_published_value_is_caught_when_it_is_off() -> None:
    for target in targets():
        if target.gated(1.0):
            off = target.value[-1] * 2.0 + 1.0
            found = check([like("a", 1.0, **{target.name: off})])
            failed = [line.target for line in found.lines if line.verdict == "fail"]
            assert failed == [target.name]


def _of_another_world(one: Measured) -> Measured:
    return replace(one, fingerprint="b", world="another")


def _again(one: Measured) -> Measured:
    return replace(one, name="copy")


@pytest.mark.parametrize(
    ("other", "what"),
    [(_of_another_world, "not of one world"), (_again, "the same logs are there twice")],
)
def test_folders_must_be_different_seeds_of_one_world(
    other: Callable[[Measured], Measured], what: str
) -> None:
    one = like("a", 0.2)
    with pytest.raises(UsageError, match=what):
        check([one, other(one)])


def test_measured_and_check_survive_json() -> None:
    one = like("a", 0.2)
    assert Measured.of(json.loads(json.dumps(one.as_dict()))) == one
    plain = json.loads(json.dumps(check([one]).as_dict(), allow_nan=False))
    assert len(plain["targets"]) == len(targets())
    assert isinstance(check([one]), Check)

"""The conditions that must hold before the outcome of a gate may be read.

Each is a function of what was measured (positional) and of the thresholds that ``rules.toml``
writes down for it (keyword-only, the same names), so that no study holds a threshold of its own::

    rule = load_rules()["shadow_price"]
    binding(0.61, 0.19, "dual_price", **rule.asked("binding"))
    power(20, "evenings", **rule.asked("power"))

None of them takes the outcome. A check whose measurement is missing has failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature

from scipy import special

from giftlive.errors import InputError
from giftlive.evaluation.results import Check
from giftlive.stats.cluster_errors import LARGEST
from giftlive.stats.intervals import Interval

EXACT = "exact"
"""Method of a number known without error: the only one whose interval may have width 0."""


def binding(
    displaced: float,
    price_share: float,
    policy: str,
    *,
    least_displaced: float,
    least_price_share: float,
) -> Check:
    """Check that a constraint acts: it changes decisions *and* its price is felt.

    A limit that never binds leaves every policy equal and would let any comparison of them pass.
    A positive price alone is no evidence: a few full seconds of one room give one.

    Parameters
    ----------
    displaced : share of ``policy``'s decisions that differ from the unconstrained choice.
    price_share : seats' share of the value placed at the dual prices, in [0, 1].
    least_displaced, least_price_share : both must be reached.

    Examples
    --------
    >>> asked = {"least_displaced": 0.05, "least_price_share": 0.01}
    >>> binding(0.61, 0.19, "dual_price", **asked).passed
    True
    >>> binding(0.61, 0.0004, "dual_price", **asked).passed
    False
    """
    return Check(
        name="binding",
        passed=bool(
            math.isfinite(displaced + price_share)
            and displaced >= least_displaced
            and price_share >= least_price_share
        ),
        value=_finite(displaced),
        threshold=f">= {least_displaced:.0%} displaced and price_share >= {least_price_share:g}",
        detail=f"{displaced:.1%} of {policy}'s choices differ from unconstrained greedy;"
        f" price_share {price_share:.4f}",
    )


def reordered(changed: float, what: str, *, least_changed: float) -> Check:
    """Check that an order is really changed: what leaves every list alone can neither win nor lose.

    Parameters
    ----------
    changed : share of the lists that come out in another order. what : whose lists, in words.

    Examples
    --------
    >>> reordered(0.4, "lists", least_changed=0.05).passed
    True
    >>> reordered(0.0, "lists", least_changed=0.05).passed
    False
    """
    return Check(
        name="reordered",
        passed=bool(math.isfinite(changed) and changed >= least_changed),
        value=_finite(changed),
        threshold=f">= {least_changed:.0%} in another order",
        detail=f"{what}: {changed:.1%} come out in another order",
    )


def movable(difference: Interval, what: str, *, smallest: float) -> Check:
    """Check that the metric can move: two reference policies differ by more than noise.

    It passes when the whole 95 % interval of the difference lies beyond ``smallest`` on either
    side of 0. Where both values are known exactly, their :func:`exact` difference is asked.

    Parameters
    ----------
    difference : reference policy minus the other, in the unit of ``smallest``.
    what : which two, in words.
    smallest : the difference that must be exceeded.

    Examples
    --------
    >>> movable(exact(0.03, "targets"), "greedy against uniform", smallest=0.05).passed
    False
    """
    low, high = difference.low, difference.high
    if low is None or high is None:
        passed, found = False, f"no interval: {difference.reason}"
    elif not math.isfinite(low + high):
        passed, found = False, f"[{low:.4g}, {high:.4g}] is not finite"
    else:
        passed, found = low > smallest or high < -smallest, f"[{low:.4g}, {high:.4g}]"
    return Check(
        name="movable",
        passed=bool(passed),
        value=_finite(difference.value),
        threshold=f"interval beyond ±{smallest:g}",
        detail=f"{what}: {found}",
    )


def exact(value: float, n_unit: str) -> Interval:
    """Return a number known without error, as a world's truth is, as an interval of width 0."""
    return Interval(value, value, value, EXACT, 1, n_unit)


def a_a(ties: Sequence[bool], what: str) -> Check:
    """Check that two identical things tie, every time and to the bit.

    A tolerance would hide what this looks for: a generator carried from policy to policy, an
    order of summation, a state that was changed in place.

    Parameters
    ----------
    ties : one entry per pair that was compared: whether nothing differed.
    what : which pairs, in words.

    Examples
    --------
    >>> a_a([True, True], "uniform played twice").passed, a_a([], "nothing").passed
    (True, False)
    """
    differ = sum(not tie for tie in ties)
    return Check(
        name="a_a",
        passed=bool(ties) and not differ,
        value=float(differ) if ties else None,
        threshold="0 differ, of at least 1",
        detail=f"{what}: {differ} of {len(ties)} differ",
    )


def no_leak(gains: Mapping[str, Interval], what: str) -> Check:
    """Check that nobody gains from labels that say nothing.

    Where labels are permuted a treatment can only have learnt the true ones by seeing what it
    must not see. It fails where the whole interval of a gain lies above 0, or one is missing.

    Parameters
    ----------
    gains : of each treatment over doing nothing, on the true labels. what : learnt from, in words.

    Examples
    --------
    >>> no_leak({"a": exact(-0.1, "logs")}, "permuted labels").passed
    True
    >>> no_leak({"a": exact(0.1, "logs")}, "permuted labels").passed, no_leak({}, "no").passed
    (False, False)
    """
    return _none_above("no_leak", gains, 0.0, "a gain", what, ("gain", "nobody gains"))


def ceiling(shares: Mapping[str, Interval], what: str) -> Check:
    """Check that a ceiling is one: nothing that it is said to bound is above it for sure.

    A ceiling is an upper bound by argument; where it was learnt from too little it lies too low,
    and every share of it flatters. It fails where a whole interval lies above 1, or is missing.
    This can refuse a good verdict only: a share below 1 is judged as before.

    Parameters
    ----------
    shares : of the ceiling, of everything that was held against it. what : the ceiling, in words.

    Examples
    --------
    >>> ceiling({"a model": exact(0.9, "worlds")}, "the Bayes ceiling").passed
    True
    >>> ceiling({"a model": exact(1.1, "worlds")}, "it").passed, ceiling({}, "it").passed
    (False, False)
    """
    told = "nothing above it" if shares else "nothing was held against it"
    return _none_above("ceiling", shares, 1.0, "a share", what, ("above it", told))


def _none_above(
    name: str,
    found: Mapping[str, Interval],
    border: float,
    kind: str,
    what: str,
    words: tuple[str, str],
) -> Check:
    """Check that there are intervals, each of them is known, and none lies above ``border``.

    Parameters
    ----------
    words : what those that do lie above it do, and what is said where none does.
    """
    lows = {who: one.low for who, one in found.items()}
    known = {who: low for who, low in lows.items() if low is not None and math.isfinite(low)}
    above = sorted(who for who, low in known.items() if low > border)
    missing = sorted(set(lows) - set(known))
    told = f"{', '.join(above)} {words[0]}" if above else words[1]
    if missing:
        told += f"; no interval of {', '.join(missing)}"
    return Check(
        name=name,
        passed=bool(found) and not above and not missing,
        value=max(known.values(), default=None),
        threshold=f"no interval of {kind} above {border:g}",
        detail=f"{what}: {told}",
    )


def power(
    n: int, n_unit: str, *, detects: float, sd: float, chance: float, least_n: float = 0
) -> Check:
    """Check that the design could have seen the effect that matters, whatever was seen.

    The smallest effect that n independent units show with probability ``chance`` in a two-sided
    test at 5 %, which is a 95 % interval that excludes the border, is::

        δ = (z(0.975) + z(chance)) · sd / √n            z: quantile of the normal law

    Everything in it was fixed beforehand: n by the configuration, sd by history, a pilot or
    theory. The realised half-width is not used: where an outcome with no whale in it happens to
    look precise, a check on it would let exactly those samples be judged.

    Assumption: units are independent and their mean is near its normal limit; ``least_n`` asks
    for the units that this limit needs at heavy tails.

    Parameters
    ----------
    n : planned number of units. detects : largest δ with which the question is answerable.
    sd : standard deviation of one unit's contribution, in the unit of the estimate.
    chance : in (0, 1); 0.8 is customary, 0.9 where the interval must clear two borders.

    Raises
    ------
    InputError
        ``chance`` is no share, or ``sd`` or ``detects`` is no finite number above 0: units that do
        not vary would make any n enough.

    References
    ----------
    Cohen (1988), *Statistical Power Analysis*, ch. 2; Browne (1995), Stat. Med. 14:1933, for the
    use of an upper confidence limit of a pilot's sd.

    Examples
    --------
    >>> check = power(20, "evenings", detects=0.02, sd=0.02, chance=0.8)
    >>> check.passed, round(check.value, 4)
    (True, 0.0125)
    """
    if not 0.0 < chance < 1.0:
        raise InputError(f"chance {chance:g}", "power", "a number strictly between 0 and 1")
    for name, number in (("sd", sd), ("detects", detects)):
        if not 0.0 < number <= LARGEST:
            raise InputError(f"{name} {number:g}", "power", f"above 0, at most {LARGEST:g}")
    if not 0.0 <= least_n <= LARGEST:
        raise InputError(f"least_n {least_n:g}", "power", f"0 to {LARGEST:g}")
    reach = float(special.ndtri(0.975) + special.ndtri(chance)) * sd
    effect = reach / math.sqrt(n) if n > 0 else None
    needed = max(math.ceil(min(reach / detects, LARGEST) ** 2), math.ceil(least_n))
    floor = f" from >= {least_n:,.0f} {n_unit}" if least_n else ""
    found = "none" if effect is None else f"{effect:.4g}"
    return Check(
        name="power",
        passed=bool(effect is not None and effect <= detects and n >= least_n),
        value=effect,
        threshold=f"<= {detects:g} with a chance of {chance:.0%}{floor}",
        detail=f"with {n:,} {n_unit} the smallest effect seen in {chance:.0%} of cases is {found}; "
        f"{detects:g} matters, at a standard deviation of {sd:g} per unit, both fixed beforehand; "
        f"at least {needed:,} {n_unit} are needed",
    )


def size(scale: float, what: str, *, least_scale: float) -> Check:
    """Check that a world is large enough to have the quantities that it is judged by.

    Shares of the top 1 % and quantiles of a tail are other numbers in a population of a hundred,
    however many seeds are drawn: no average over seeds makes up for it.

    Parameters
    ----------
    scale : users of ``what`` over those of the full size.

    Examples
    --------
    >>> size(0.2, "the world", least_scale=0.2).passed, size(0.05, "it", least_scale=0.2).passed
    (True, False)
    """
    return Check(
        name="size",
        passed=bool(math.isfinite(scale) and scale >= least_scale),
        value=_finite(scale),
        threshold=f">= {least_scale:g} of full size",
        detail=f"{what} has {scale:g} of the full size; judged from {least_scale:g} on",
    )


def _finite(value: float | None) -> float | None:
    """Return a number that a results file can hold, or None."""
    return value if value is not None and math.isfinite(value) else None


CHECKS: dict[str, Callable[..., Check]] = {
    check.__name__: check
    for check in (binding, reordered, movable, a_a, no_leak, ceiling, power, size)
}
"""Every check a rule may ask for, by its name in ``rules.toml``."""


def thresholds_of(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the thresholds that a check must be given, and those it may be given.

    Examples
    --------
    >>> must, may = thresholds_of("power")
    >>> sorted(must), sorted(may - must)
    (['chance', 'detects', 'sd'], ['least_n'])
    """
    asked = [p for p in signature(CHECKS[name]).parameters.values() if p.kind is p.KEYWORD_ONLY]
    must = frozenset(p.name for p in asked if p.default is Parameter.empty)
    return must, frozenset(p.name for p in asked)

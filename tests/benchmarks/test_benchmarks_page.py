"""The benchmarks page: fitted exponents, the plan's arithmetic, and nothing typed by hand."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.curves import curve, exponent
from benchmarks.page import Measured, headline, page
from benchmarks.plan import ASSUMED, Assumptions, needs, plan

from benchmarks import all as bench
from benchmarks import curves as curves_of

SIZES = (10, 20, 40, 80, 160)
TABLE = """200 x 500 candidates     us / decision   decisions / s          x numpy argmax
numpy argmax                      0.09      11,342,530                     1.0
dual_price                       60.13          16,630                   688.1
"""


def law(name: str, power: float, each: float = 1e-3, **other: Any) -> dict[str, Any]:
    seconds = {size: each * (size / SIZES[0]) ** power for size in SIZES}
    return vars(replace(curve(name, "work", name, "a piece", seconds), **other))


def all_curves() -> list[dict[str, Any]]:
    powers = {"rows": 1.0, "users": 1.1, "rooms": 0.7, "candidates": 0.9, "workers": 0.05}
    return [law(name, power) for name, power in powers.items()]


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.7])
def test_the_exponent_of_a_power_law_is_found(power: float) -> None:
    found, low, high = exponent(SIZES, [3.0 * size**power for size in SIZES])
    assert found == pytest.approx(power, abs=1e-9)
    assert low <= found <= high


def test_noise_widens_the_interval_and_it_still_holds_the_truth() -> None:
    """95 % of intervals hold the exponent, by what the normal law of the errors says."""
    draw, held = np.random.default_rng(1), 0
    for _ in range(2_000):
        noisy = np.array(SIZES) ** 1.2 * np.exp(draw.normal(0.0, 0.1, len(SIZES)))
        _, low, high = exponent(SIZES, noisy.tolist())
        held += low <= 1.2 <= high
    assert 0.935 < held / 2_000 < 0.965


@pytest.mark.parametrize("points", [([1, 2], [1.0, 2.0]), ([1, 2, 3], [1.0, 0.0, 2.0])])
def test_too_few_points_or_no_time_at_all_are_refused(points: Any) -> None:
    with pytest.raises(ValueError, match="expected at least 3"):
        exponent(*points)


def test_the_plan_is_arithmetic_on_the_curves() -> None:
    given = Assumptions(users=1_600.0, clicks=1.0, visits=1.0, peak=2.0, busy=0.5, resolves=3.0,
                        candidates=320.0, rooms=160.0)  # fmt: skip
    found = {need.part: need for need in needs({c["name"]: c for c in all_curves()}, given)}
    decisions = 1_600.0 / 86_400.0 * 2.0 / 0.5
    served = found["decisions, served by price"]
    assert served.value == pytest.approx(decisions * 1e-3 * 32**0.9)  # 320 / 10
    assert found["retrieval among all live rooms"].value == pytest.approx(
        decisions * 1e-3 * 16**0.7
    )
    prices = found["prices, solved anew"]
    assert prices.value == pytest.approx(10 * 1e-3 * 16**1.1 * 3 / 3_600)  # 1,600 / 160 shards
    assert prices.high == pytest.approx(prices.value * 16**0.05)


def test_twice_the_users_need_twice_the_shards_and_decisions() -> None:
    measured = {c["name"]: c for c in all_curves()}
    one, two = needs(measured, Assumptions()), needs(measured, Assumptions(users=800e6))
    assert [b.value / a.value for a, b in zip(one, two, strict=True)] == pytest.approx([2.0] * 4)


def test_every_assumption_is_on_the_page_with_its_reason() -> None:
    assert set(ASSUMED) == set(vars(Assumptions()))
    text = "\n".join(plan(all_curves(), "python -m benchmarks.curves --json", 1.5))
    for name, why in ASSUMED.values():
        assert name in text
        assert why in text
    assert "400,000,000" in text
    assert "A plan, not a measurement" in text


def measured(name: str, **fields: Any) -> Measured:
    return Measured(name, f"title of {name}", "its peer", f"python -m benchmarks.{name}", **fields)


def test_the_page_has_every_benchmark_its_command_its_ratio_and_the_load() -> None:
    found = [
        measured("decisions", printed=TABLE, code=0, load=3.25, processor=12.0, wall=80.0),
        measured("neural", reason="needs torch, which is not installed"),
        measured("ope", code=1, printed="estimates differ", reason="exit"),
        measured("curves", printed=json.dumps(all_curves()), code=0, load=2.0),
    ]
    text = page(found, quick=True)
    assert "giftlive bench all --quick" in text
    for one in found:
        assert f"$ {one.command}" in text
    assert "x numpy argmax: dual_price 688.1" in text
    assert "Not measured: needs torch" in text
    assert "failed (exit 1)" in text
    assert "load 3.2" in text
    assert "1.10 [1.10, 1.10]" in text


def test_a_ratio_is_read_from_the_table_itself() -> None:
    """Break the table on purpose: the headline must follow."""
    moved = measured("decisions", printed=TABLE.replace("688.1", "  3.5"), code=0)
    assert headline(moved).endswith("dual_price 3.5")
    # Other columns may stand behind the ratio, and a row may have none: neither is taken for it.
    wide = ("model      x peer CPU  KiB saved", "ridge            0.41        382", "none   9")
    assert headline(measured("models", printed="\n".join(wide), code=0)) == (
        "x peer CPU: ridge 0.41"
    )
    assert headline(measured("x", printed="nothing to compare", code=0)) == "see its table"
    over = "     processor s   over Polars\nnative    2.8   4.94x (4.94 - 4.94)\npolars    0.6"
    assert headline(measured("tables", printed=over, code=0)) == "over Polars: native 4.94"


def test_what_was_measured_is_kept_and_what_failed_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def fake(one: bench.Bench, arguments: Any) -> Measured:
        runs.append(one.name)
        return measured(one.name, code=int(one.name == "bad"), printed="ok")

    made = (bench.Bench("good", "g", "p"), bench.Bench("bad", "b", "p"),
            bench.Bench("absent", "a", "p", needs=("no_such_module",)))  # fmt: skip
    monkeypatch.setattr(bench, "measure", fake)
    monkeypatch.setattr(bench, "BENCHES", made)
    out = tmp_path / "page.md"
    command = ["all", "--quick", "--out", str(out), "--cache", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    assert bench.main() == 1
    assert bench.main() == 1
    assert runs == ["good", "bad", "bad"]
    assert "needs no_such_module" in out.read_text(encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [*command, "--again"])
    assert bench.main() == 1
    assert runs == ["good", "bad", "bad", "good", "bad"]


def test_every_benchmark_is_a_module_and_a_row_of_the_readme() -> None:
    readme = (bench.ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for one in bench.BENCHES:
        assert (bench.ROOT / "benchmarks" / f"{one.name}.py").is_file()
        assert f"| `{one.name}` |" in readme


def test_small_curves_can_be_measured() -> None:
    """The cheap ones for real, at sizes of no meaning: five points, and time spent at each."""
    for found in (curves_of.candidates_curve(2, 1), curves_of.users_curve(20, 1)):
        assert len(found.sizes) == len(found.seconds) == curves_of.POINTS
        assert min(found.seconds) > 0.0
        assert found.low <= found.exponent <= found.high

"""What a figure must show: numbers computed again, or estimates that were verified already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from giftlive.run.verify.claims import Result
from giftlive.run.verify.outcome import Difference

_EXACT = 1e-9


@dataclass(frozen=True)
class Curve:
    """Heights of a series; ``scale`` is the size of the numbers they were made of."""

    y: tuple[float, ...]
    scale: float = 0.0

    @staticmethod
    def of(y: Sequence[float], scale: float = 0.0) -> Curve:
        """Return the heights ``y``."""
        return Curve(tuple(y), float(scale))


@dataclass(frozen=True)
class Drawn:
    """A series: its places, and a curve or the key of the estimate at each place."""

    x: Sequence[float | str]
    curve: Curve | None = None
    estimates: Sequence[str] = ()


def differences(
    result: Result, drawn: Mapping[tuple[str, str], Drawn], printed: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Difference | None]]:
    """Yield the name of every series, with what is wrong with it or None.

    A series that ``drawn`` does not know is not yielded.

    Parameters
    ----------
    printed : key of every estimate of the study -> the estimate as it was written.
    """
    for f, figure in enumerate(result["figures"]):
        for s, series in enumerate(figure["series"]):
            expected = drawn.get((figure["name"], series["name"]))
            if expected is not None:
                name = f"{figure['name']} / {series['name']}"
                place = f"results/{result['study']}.json, figures[{f}].series[{s}]"
                pairs = _compared(series, expected, printed)
                wrong = next((pair for pair in pairs if not _equal(*pair, expected.curve)), None)
                yield (
                    name,
                    wrong
                    and Difference(str(result["study"]), name, str(wrong[0]), str(wrong[1]), place),
                )


def _compared(
    series: Mapping[str, Any], expected: Drawn, printed: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Any, Any]]:
    """Yield what the series shows beside what it must show."""
    yield sorted(map(str, series["x"])), sorted(map(str, expected.x))
    if expected.curve is not None:
        yield len(series["y"]), len(expected.curve.y)
        yield from zip(series["y"], expected.curve.y, strict=False)
        return
    keys = dict(zip(map(str, expected.x), expected.estimates, strict=True))
    for i, x in enumerate(series["x"]):
        estimate = printed.get(keys[str(x)], {})
        for mark, part in (("y", "value"), ("low", "low"), ("high", "high")):
            if series[mark] is not None:
                yield series[mark][i], estimate.get(part) or 0.0


def _equal(shown: Any, expected: Any, curve: Curve | None) -> bool:
    if isinstance(shown, float) and isinstance(expected, float):
        size = max(abs(shown), abs(expected))
        return abs(shown - expected) <= _EXACT * size + 1e-12 * (curve.scale if curve else 0.0)
    return bool(shown == expected)

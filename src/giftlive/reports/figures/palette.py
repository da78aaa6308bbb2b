"""Colours: Okabe-Ito for entities, greys for context; an entity keeps its colour everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from giftlive.evaluation.results import Figure

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
REFERENCE = "#767676"
INK = "#1b1f24"
MUTED = "#59616b"
GRID = "#e3e6ea"
PAPER = "#ffffff"
DARK_PAPER = "#15181d"

MARKERS = (("circle", "o"), ("square", "s"), ("diamond", "D"), ("triangle-up", "^"),
           ("triangle-down", "v"), ("x", "X"))  # fmt: skip
"""Plotly's and Matplotlib's name of the marker that goes with each colour."""

DASHES = (("solid", "-"), ("dash", "--"), ("dot", ":"))
"""Line styles for a seventh series and beyond, when the colours start again."""


def assign_slots(figures: Iterable[Figure]) -> dict[str, int]:
    """Return a colour slot for every series name of a report.

    Two names that stand in one figure never share a slot (while there are slots left); a name
    that stands alone takes the first. Slot *k* is colour ``k mod 6``.
    """
    neighbours: dict[str, set[str]] = {}
    for figure in figures:
        names = [s.name for s in figure.series if s.style != "reference"]
        for name in names:
            neighbours.setdefault(name, set()).update(n for n in names if n != name)
    slots: dict[str, int] = {}
    for name, others in neighbours.items():
        taken = {slots[other] for other in others if other in slots}
        slots[name] = next(k for k in range(len(taken) + 1) if k not in taken)
    return slots


def colour(slot: int) -> str:
    """Return the colour of a slot."""
    return OKABE_ITO[slot % len(OKABE_ITO)]


def shade(fraction: float) -> str:
    """Return the colour of a cell: from nearly paper at 0 to dark blue at 1, lightness falling.

    One hue, so that a print in black and white and every eye read the same order.

    Examples
    --------
    >>> shade(0.0), shade(1.0)
    ('#f1f6fa', '#003a5c')
    """
    stops = ((241, 246, 250), (86, 160, 205), (0, 58, 92))
    at = 2.0 * min(max(fraction, 0.0), 1.0)
    low = min(int(at), 1)
    mixed = (a + (b - a) * (at - low) for a, b in zip(stops[low], stops[low + 1], strict=True))
    return "#{:02x}{:02x}{:02x}".format(*(round(v) for v in mixed))


def luminance(hex_colour: str) -> float:
    """Return the relative luminance (WCAG 2) of ``#rrggbb``, from 0 (black) to 1 (white)."""
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21.

    Examples
    --------
    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(hex_colour: str, paper: str, least: float = 4.6) -> str:
    """Return the nearest shade of a colour that can be read as text on ``paper``."""
    toward = 0 if luminance(paper) > 0.5 else 255
    for step in range(41):
        mix = [
            round(int(hex_colour[i : i + 2], 16) * (1 - step / 40) + toward * step / 40)
            for i in (1, 3, 5)
        ]
        shade = "#{:02x}{:02x}{:02x}".format(*mix)
        if contrast(shade, paper) >= least:
            return shade
    return INK if toward == 0 else PAPER


def ink_on(background: str) -> str:
    """Return dark ink or paper, whichever stands out more on ``background``.

    Examples
    --------
    >>> ink_on(shade(0.0)) == INK, ink_on(shade(1.0)) == PAPER
    (True, True)
    """
    return max((INK, PAPER), key=lambda text: contrast(text, background))


def text_shades(paper: str) -> dict[str, str]:
    """Return a readable shade on ``paper`` of every slot's colour and of the reference grey."""
    shades = {str(slot): readable(shade, paper) for slot, shade in enumerate(OKABE_ITO)}
    return shades | {"reference": readable(REFERENCE, paper)}

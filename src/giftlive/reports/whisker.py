"""A dot and its whisker against a threshold, as inline SVG small enough for a table cell."""

from __future__ import annotations

from html import escape

from markupsafe import Markup

WIDTH, HEIGHT = 176, 22
_INSET = 6.0


def whisker(
    value: float,
    low: float,
    high: float,
    threshold: float | None,
    threshold_high: float | None,
    words: str,
    whole: tuple[float, float] | None = None,
) -> Markup:
    """Return the estimate as a dot, its interval as a line, the passing region shaded.

    Parameters
    ----------
    value, low, high : the estimate and its 95 % interval, low <= value <= high.
    threshold : lower border of the passing region; None = the region is open below.
    threshold_high : upper border; None = the region is open above. Without either none is drawn.
    words : what the picture says, for readers who do not see it.
    whole : the whole range of the quantity, drawn if everything lies in it: a share's 0 to 1.
        Without one every gap would look alike, 98 % of 99 % like 38 % of 90 %.
    """
    borders = [b for b in (threshold, threshold_high) if b is not None]
    left, right = min(low, value, *borders), max(high, value, *borders)
    if whole is not None and whole[0] <= left and right <= whole[1]:
        left, right = whole
    margin = 0.0 if (left, right) == whole else 0.12 * (right - left) or 0.1 * abs(value) or 1.0
    left, right = left - margin, right + margin

    def x(at: float) -> float:
        return round(_INSET + (at - left) / (right - left) * (WIDTH - 2 * _INSET), 2)

    middle = HEIGHT / 2
    parts = [f'<line class="w-axis" x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}"/>']
    if borders:
        start = 0.0 if threshold is None else x(threshold)
        end = float(WIDTH) if threshold_high is None else x(threshold_high)
        parts.append(
            f'<rect class="w-pass" x="{start}" width="{round(end - start, 2)}" y="1" '
            f'height="{HEIGHT - 2}"/>'
        )
    parts += [f'<line class="w-border" x1="{x(b)}" x2="{x(b)}" y1="1" y2="{HEIGHT - 1}"/>'
              for b in borders]  # fmt: skip
    parts += [
        f'<line class="w-range" x1="{x(low)}" x2="{x(high)}" y1="{middle}" y2="{middle}"/>',
        f'<circle class="w-dot" cx="{x(value)}" cy="{middle}" r="4"/>',
    ]
    opening = (
        f'<svg class="whisker" role="img" aria-label="{escape(words)}" width="{WIDTH}" '
        f'height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
    )
    title = f"<title>{escape(words)}</title>"  # shown on hover
    return Markup(f"{opening}{title}{''.join(parts)}</svg>")

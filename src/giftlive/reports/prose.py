"""Sentences with inline code and formulae, written out for HTML and for Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape

from markupsafe import Markup

from giftlive.reports.i18n import MATH
from giftlive.reports.mathml import mathml

_CODE = re.compile(r"`([^`]+)`")
_MARKDOWN = re.compile(r"([\\`*_<>|#\[\]~$])")


def _pieces(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, text): ``text``, ``code``, ``math`` or ``display``."""
    pattern = re.compile(f"{_CODE.pattern}|({MATH.pattern})", re.DOTALL)
    end = 0
    for match in pattern.finditer(sentence):
        yield "text", sentence[end : match.start()]
        formula = match.group(2)
        if match.group(1):
            yield "code", match.group(1)
        elif formula.startswith("$$"):
            yield "display", formula[2:-2].strip()
        else:
            yield "math", formula[1:-1]
        end = match.end()
    yield "text", sentence[end:]


def html_prose(sentence: str) -> Markup:
    """Return ``sentence`` as safe HTML: everything escaped, formulae as MathML.

    Examples
    --------
    >>> str(html_prose("a < `b`"))
    'a &lt; <code>b</code>'
    """
    written: dict[str, Callable[[str], str]] = {
        "text": escape,
        "code": lambda text: f"<code>{escape(text)}</code>",
        "math": mathml,
        "display": lambda text: f'<span class="formula">{mathml(text, display=True)}</span>',
    }
    return Markup("".join(written[kind](text) for kind, text in _pieces(sentence)))


def markdown_prose(sentence: str) -> str:
    r"""Return ``sentence`` as Markdown: its own signs escaped, formulae as LaTeX.

    Examples
    --------
    >>> markdown_prose("top_1 | `x` $p_i$")
    'top\\_1 \\| `x` $p_i$'
    """
    written = {
        "text": lambda text: _MARKDOWN.sub(r"\\\1", text),
        "code": lambda text: f"`{text}`",
        "math": lambda text: f"${text}$",
        "display": lambda text: f"\n\n$$\n{text}\n$$\n\n",
    }
    return "".join(written[kind](text) for kind, text in _pieces(sentence))


def markdown_cell(sentence: str) -> str:
    """Return ``sentence`` for a Markdown table: one line, and no bar that would end the cell."""
    return " ".join(markdown_prose(sentence).split())

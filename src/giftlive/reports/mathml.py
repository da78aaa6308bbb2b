"""LaTeX to MathML for the small part of LaTeX that the studies' formulae use.

A formula with a command outside that part is not guessed at: its source is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

_TOKEN = re.compile(r"\\[A-Za-z]+|\\[,;:!{}|% ]|\d+(?:\.\d+)?|[A-Za-z]|\S")
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "theta": "θ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "omega": "ω", "eta": "η", "kappa": "κ", "Delta": "Δ", "Gamma": "Γ",
    "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
_OPERATORS = {
    "cdot": "·", "times": "×", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "approx": "≈", "in": "∈", "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "mapsto": "↦",
    "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "infty": "∞", "pm": "±", "mid": "∣",
    "ldots": "…", "dots": "…", "cdots": "⋯", "forall": "∀", "propto": "∝",
    "sim": "∼", "cap": "∩", "cup": "∪", "lbrace": "{", "rbrace": "}", "langle": "⟨",
    "rangle": "⟩", "|": "‖", "{": "{", "}": "}", "%": "%",
}  # fmt: skip
_FUNCTIONS = frozenset(
    {"log", "exp", "max", "min", "arg", "argmax", "argmin", "Pr", "var", "cov", "sup", "inf"}
)
_SPACES = {
    ",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.25em", "quad": "1em", "qquad": "2em",
}  # fmt: skip
_VARIANTS = {"mathbb": "double-struck", "mathbf": "bold", "mathcal": "script"}
_DOUBLE = dict(zip("CEINPQRZ1", "ℂ𝔼𝕀ℕℙℚℝℤ𝟙", strict=True))
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "overline": "¯"}
_LIMITS = frozenset({"∑", "∏", "max", "min", "sup", "inf", "argmax", "argmin"})


class _UnknownError(Exception):
    """The formula uses something that is not in the tables above."""


def mathml(latex: str, display: bool = False) -> str:
    r"""Return a ``<math>`` element for ``latex``; unknown commands fall back to its source.

    Examples
    --------
    >>> mathml("x^2")
    '<math><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    >>> mathml(r"\strange{x}")
    '<math><mtext>\\strange{x}</mtext></math>'
    """
    opening = '<math display="block">' if display else "<math>"
    try:
        tokens = _Tokens(latex)
        body = _row(tokens, end=None)
    except _UnknownError:
        body = f"<mtext>{escape(latex)}</mtext>"
    return f"{opening}{body}</math>"


class _Tokens:
    """A formula read from left to right, with one token of look-ahead."""

    def __init__(self, latex: str) -> None:
        self.latex, self.at = latex, 0

    def peek(self) -> str | None:
        match = _TOKEN.search(self.latex, self.at)
        return match.group() if match else None

    def take(self) -> str:
        match = _TOKEN.search(self.latex, self.at)
        if match is None:
            raise _UnknownError
        self.at = match.end()
        return match.group()

    def raw_group(self) -> str:
        """Return the text of ``{…}`` as it stands, spaces included."""
        end = self.latex.find("}", self.at)
        if self.take() != "{" or end < 0:
            raise _UnknownError
        text, self.at = self.latex[self.at : end], end + 1
        if "{" in text or "\\" in text:
            raise _UnknownError
        return text


def _row(tokens: _Tokens, end: str | None) -> str:
    return f"<mrow>{''.join(_items(tokens, end))}</mrow>"


def _items(tokens: _Tokens, end: str | None) -> Iterator[str]:
    while (token := tokens.peek()) is not None:
        if token == end:
            tokens.take()
            return
        yield _scripted(tokens)
    if end is not None:
        raise _UnknownError


def _scripted(tokens: _Tokens) -> str:
    base, limits = _atom(tokens, tokens.take())
    below = above = ""
    while (sign := tokens.peek()) in ("_", "^"):
        tokens.take()
        script, _ = _atom(tokens, tokens.take())
        below, above = (script, above) if sign == "_" else (below, script)
    under, over = ("munder", "mover") if limits else ("msub", "msup")
    both = "munderover" if limits else "msubsup"
    if below and above:
        return f"<{both}>{base}{below}{above}</{both}>"
    if below:
        return f"<{under}>{base}{below}</{under}>"
    return f"<{over}>{base}{above}</{over}>" if above else base


def _atom(tokens: _Tokens, token: str) -> tuple[str, bool]:
    """Return one unit of the formula and whether its scripts stand below and above it."""
    if token == "{":
        return _row(tokens, "}"), False
    if token.startswith("\\"):
        return _command(tokens, token[1:])
    if token in "}_^&#$\\":
        raise _UnknownError
    if token[0].isdigit():
        return f"<mn>{token}</mn>", False
    if token.isalpha():
        return f"<mi>{token}</mi>", False
    return f"<mo>{escape('−' if token == '-' else token)}</mo>", False


def _command(tokens: _Tokens, name: str) -> tuple[str, bool]:
    if name in _GREEK:
        return f"<mi>{_GREEK[name]}</mi>", False
    if name in _FUNCTIONS:
        return f'<mi mathvariant="normal">{name}</mi>', name in _LIMITS
    if name in _OPERATORS:
        return f"<mo>{escape(_OPERATORS[name])}</mo>", _OPERATORS[name] in _LIMITS
    if name in _SPACES:
        return f'<mspace width="{_SPACES[name]}"></mspace>', False
    if name in ("left", "right"):
        fence = tokens.take().removeprefix("\\")
        shown = "" if fence == "." else _OPERATORS.get(fence, fence)
        return f'<mo stretchy="true">{escape(shown)}</mo>', False
    return _with_argument(tokens, name), False


def _with_argument(tokens: _Tokens, name: str) -> str:
    if name in ("text", "mathrm", "operatorname", "mathit"):
        return f"<mtext>{escape(tokens.raw_group())}</mtext>"
    if name in _VARIANTS:
        letter = tokens.raw_group()
        shown = _DOUBLE.get(letter, letter) if name == "mathbb" else letter
        return f'<mi class="{_VARIANTS[name]}">{escape(shown)}</mi>'
    if name == "frac":
        top, _ = _atom(tokens, tokens.take())
        bottom, _ = _atom(tokens, tokens.take())
        return f"<mfrac>{top}{bottom}</mfrac>"
    if name == "sqrt":
        return f"<msqrt>{_atom(tokens, tokens.take())[0]}</msqrt>"
    if name in _ACCENTS:
        below, _ = _atom(tokens, tokens.take())
        return f'<mover accent="true">{below}<mo>{_ACCENTS[name]}</mo></mover>'
    raise _UnknownError

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from giftlive.reports.mathml import mathml
from giftlive.reports.prose import html_prose, markdown_cell, markdown_prose

FORMULAE = [
    r"V(x) = p(x)\, m(x) = \Pr(Y > 0 \mid x)\; \mathbb{E}[Y \mid Y > 0, x]",
    r"\hat{V}_{\text{SNIPS}} = \frac{\sum_{i=1}^{n} w_i r_i}{\sum_i w_i}",
    r"\max_{s} \left( v_{us} - \lambda_s c_{us} \right), \quad \lambda_s \ge 0",
    r"s^2 = \sqrt{\frac{1}{n-1}} \cdot \exp(-\beta t) \times \mathbf{1}\{x < y\}",
    r"x_i^2 \to \infty",
]


@pytest.mark.parametrize("latex", FORMULAE)
def test_formulae_become_well_formed_mathml(latex: str) -> None:
    tree = ElementTree.fromstring(mathml(latex, display=True))
    assert tree.tag == "math"
    assert latex not in "".join(tree.itertext())


def test_structure_of_scripts_and_fractions() -> None:
    assert mathml(r"\frac{a}{b}") == (
        "<math><mrow><mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac></mrow></math>"
    )
    assert "<munderover><mo>∑</mo>" in mathml(r"\sum_{i=1}^n i")
    assert "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>" in mathml("x_i^2")


@pytest.mark.parametrize("latex", [r"\unheard{x}", "{x", "x}", "x_", r"\text{a", r"\frac{a}", "&"])
def test_what_is_not_understood_is_shown_as_it_stands(latex: str) -> None:
    tree = ElementTree.fromstring(mathml(latex))
    assert "".join(tree.itertext()) == latex


def test_html_escapes_text_code_and_formulae() -> None:
    shown = str(html_prose("<b> `<i>` $a < b$ $\\text{<script>}$"))
    assert shown.startswith("&lt;b&gt; <code>&lt;i&gt;</code> <math>")
    assert "<mo>&lt;</mo>" in shown
    assert "<script>" not in shown


def test_markdown_keeps_latex_and_escapes_its_own_signs() -> None:
    assert markdown_prose("a_b* <x> `c_d` $e_f$") == r"a\_b\* \<x\> `c_d` $e_f$"
    assert markdown_cell("a|b\nc $$x$$") == r"a\|b c $$ x $$"

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import giftlive.studies
from giftlive.errors import InputError, IntegrityError
from giftlive.evaluation.results import Estimate, Gate, StudyResult
from giftlive.reports import render
from giftlive.reports.figures.palette import contrast
from giftlive.reports.load import KUAILIVE_ROWS, load_run, study_from_dict
from giftlive.reports.modules import module_file
from giftlive.reports.page import in_turn
from giftlive.reports.render import compose
from giftlive.reports.roles import AFTER_EVIDENCE, AFTER_VERDICTS, BEFORE_EVIDENCE, ROLES
from giftlive.reports.whisker import whisker
from giftlive.types import Message

WriteRun = Callable[..., Path]
VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE", "NOT ANSWERABLE", "SKIPPED")
HOSTILE = "<script>alert('x')</script>"


class Outline(HTMLParser):
    """Counts what the accessibility and escaping promises are about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts: list[str | None] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.loose_tables = self.unscoped = self.regions = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "div":
            self.open.append(found.get("class") or "")
        if tag == "table":
            self.loose_tables += "scroll" not in self.open
        if tag == "th":
            self.unscoped += "scope" not in found
        if tag == "script":
            self.scripts.append(found.get("type"))
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self.open.pop()


@pytest.fixture(scope="session")
def page(rendered: Path) -> str:
    return (rendered / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def own(page: str) -> str:
    """Everything but Plotly's own source."""
    return re.sub(r"<script>/\*\*.*?</script>", "<script></script>", page, flags=re.DOTALL)


@pytest.fixture(scope="session")
def text(rendered: Path) -> str:
    return (rendered / "report.md").read_text(encoding="utf-8")


def test_one_file_with_plotly_once_and_no_request(page: str, own: str) -> None:
    from plotly.offline import get_plotlyjs

    assert page.count(get_plotlyjs()) == 1
    assert len(page.encode()) < 6_000_000
    assert "http" not in own.replace("http-equiv", "")
    assert "default-src 'none'" in page
    outline = Outline(own)
    assert outline.scripts == [None, "application/json", "application/json", None, None]
    outside = [href for href in outline.links if not href.startswith(("#", "figures/", "data:,"))]
    assert outside == []


def test_every_link_leads_somewhere(rendered: Path, own: str) -> None:
    outline = Outline(own)
    assert len(outline.ids) == len(set(outline.ids))
    for link in outline.links:
        if link.startswith("#"):
            assert link[1:] in outline.ids
        elif link.startswith("figures/"):
            assert (rendered / link).is_file()


def test_names_cannot_become_mark_up(page: str, text: str) -> None:
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(" in page
    assert HOSTILE not in text


def test_tables_have_scoped_headers_and_scroll_inside_their_own_box(own: str) -> None:
    outline = Outline(own)
    assert outline.unscoped == 0
    assert outline.loose_tables == 0


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_is_a_chip_with_its_word(own: str, text: str, verdict: str) -> None:
    assert f'<span class="chip {verdict.lower().replace(" ", "-")}">{verdict}</span>' in own
    assert verdict in text


def test_the_first_page_says_what_was_analysed_in_local_days(own: str, text: str) -> None:
    for shown in (own, text):
        assert "481,204 clicks" in shown
        assert "2025‑05‑05 to 2025‑05‑25 (Asia/Shanghai)" in shown
        assert "comments" not in shown


def test_four_key_numbers_one_from_each_study_first(own: str) -> None:
    front = own.split('<div class="front">')[0]
    assert front.count('<div class="value') == 4
    assert "+4.1\u202fpp" in front
    assert "[+2.8, +5.4]" in front
    assert "1.57" not in front


def test_the_board_puts_every_study_in_one_column(text: str) -> None:
    assert r"**Answered**: 0.1 exploration, 0.2 baseline, 5.2 shadow\_price" in text
    assert r"**Open**: 3.1 off\_policy, 5.4 risk" in text
    assert "**Skipped**: 1.2 delay" in text


def test_a_skipped_study_gives_its_reason(own: str, text: str) -> None:
    assert "Skipped: the source has no table of clicks" in own
    assert "Skipped: the source has no table of clicks" in text


def test_an_unprintable_estimate_says_what_it_needs(own: str, text: str) -> None:
    for shown in (own, text):
        assert "not enough data: need about 420 users, there are 41" in shown


def test_every_page_of_a_generated_world_says_so(own: str, text: str) -> None:
    assert own.count('<span class="chip world">calibrated world</span>') == 7
    assert text.count(" `calibrated world`") == 6  # five verdicts and the run's own label
    assert text.count("\n`calibrated world`") == 1  # a study without a gate
    assert "calibrated world" in own.split("</title>")[0]


def test_the_sections_of_a_study_stand_in_their_order(own: str) -> None:
    study = own.split('id="baseline"')[1].split("</article>")[0]
    headings = re.findall(r"<h3>(.*?)</h3>", study)
    assert headings == [
        "From mechanism to goal", "Inputs and outputs", "Pipeline", "Fixed beforehand",
        "Hypothesis and verdict", "Key numbers", "Symbols",
        "Checks made before outcomes were read", "Figures", "Trade-offs",
        "Assumptions and how each is handled", "Issues met in the run", "Next",
            "What this data cannot tell",
        "Where it is computed",
    ]  # fmt: skip
    assert '<math display="block">' in study
    assert "rng.py:stream" in study
    assert "rng:unheard_of (not found in this version)" in study


def test_markdown_tables_are_rectangular_and_formulae_are_latex(text: str) -> None:
    assert r"\mathbb{E}[Y \mid Y > 0, x]" in text
    previous = 0
    for line in text.splitlines():
        bars = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (bars and previous) or bars == previous, line
        previous = bars


def test_twins_and_frames_stand_beside_the_report(rendered: Path) -> None:
    names = {path.name for path in (rendered / "figures").iterdir()}
    stems = {name.rsplit(".", 1)[0] for name in names}
    assert "shadow_price__revenue_by_load" in stems
    assert names == {f"{stem}.{kind}" for stem in stems for kind in ("svg", "png", "csv")}


def test_equal_runs_give_equal_bytes(rendered: Path, run_writer: WriteRun) -> None:
    again = run_writer()
    render(again)
    files = sorted(rendered.rglob("*.*"))
    assert len(files) > 10
    for path in files:
        assert path.read_bytes() == (again / path.relative_to(rendered)).read_bytes(), path.name


def test_a_bare_manifest_is_enough(run_writer: WriteRun) -> None:
    folder = run_writer(results=())
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    page = render(folder).read_text(encoding="utf-8")
    assert "This run has no results yet." in page
    assert "an undescribed source" in page
    assert len(page) < 100_000


def test_what_is_not_a_run_is_refused_by_name(tmp_path: Path, run_writer: WriteRun) -> None:
    with pytest.raises(InputError, match=r"manifest\.json"):
        render(tmp_path)
    folder = run_writer()
    (folder / "results" / "broken.json").write_text('{"study": "x"}', encoding="utf-8")
    with pytest.raises(InputError, match=r"results/broken\.json.*question"):
        render(folder)
    (folder / "results" / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.json"):
        render(folder)


def _claiming(result: StudyResult) -> StudyResult:
    finding = Message("free", {"text": "Prices win on  KuaiLive."})
    return replace(result, figures=(), text={"finding": (finding,)})


def test_only_kuailive_itself_is_called_kuailive(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    claim = (_claiming(all_studies[0]),)
    with pytest.raises(IntegrityError, match="on KuaiLive"):
        render(run_writer("world", results=claim))
    source = {"kind": "kuailive", "label": "real logs", "rows": {"click": 5, "gift": 1}}
    with pytest.raises(IntegrityError, match="on KuaiLive"):
        render(run_writer("lookalike", results=claim, source=source, label="real logs"))
    published = source | {"rows": KUAILIVE_ROWS}
    real = run_writer("real", results=claim, source=published, label="real logs")
    page = render(real).read_text(encoding="utf-8")
    assert "Prices win on  KuaiLive." in page
    assert "calibrated world" not in page


def test_results_survive_the_journey_through_json(all_studies: tuple[StudyResult, ...]) -> None:
    for result in all_studies:
        written = json.loads(json.dumps(result.as_dict()))
        assert json.loads(json.dumps(study_from_dict(written).as_dict())) == written
        assert study_from_dict(written | {"later_field": 1}) == study_from_dict(written)


def test_studies_come_in_the_order_of_their_ids(run_writer: WriteRun) -> None:
    ids = [result.id for result in load_run(run_writer()).results]
    assert ids == ["0.1", "0.2", "1.2", "3.1", "5.2", "5.4"]


def test_headlines_take_turns() -> None:
    assert in_turn([[1, 2], [], [3], [4, 5]], 4) == [1, 3, 4, 2]


def test_every_role_has_a_place_on_a_page() -> None:
    placed = {*BEFORE_EVIDENCE, *AFTER_VERDICTS, *AFTER_EVIDENCE}
    elsewhere = {
        "finding",
        "headline",
        "cannot_tell",
        "consensus",
        "outputs",
        "decision",
        "modules",
    }
    assert placed | elsewhere == set(ROLES)


def test_modules_are_checked_without_being_imported() -> None:
    assert module_file("giftlive.evaluation.results:StudyResult") == (
        "evaluation/results.py:StudyResult"
    )
    assert module_file("reports:render") == "reports/render.py:render"  # handed on
    assert module_file("reports.render:render") == "reports/render.py:render"
    assert module_file("../errors:Where") is None


def test_the_whisker_stands_on_the_right_side_of_its_threshold() -> None:
    svg = str(whisker(0.95, 0.92, 0.98, 0.93, 0.97, "<estimate>"))
    x = {name: float(v) for name, v in re.findall(r'class="w-(dot)" cx="([\d.]+)"', svg)}
    left, right = (float(v) for v in re.findall(r'class="w-border" x1="([\d.]+)"', svg))
    low, high = map(float, re.findall(r'class="w-range" x1="([\d.]+)" x2="([\d.]+)"', svg)[0])
    assert low < left < x["dot"] < right < high
    assert 'aria-label="&lt;estimate&gt;"' in svg
    assert "w-border" not in str(whisker(1.0, 1.0, 1.0, None, None, "constant"))


def test_a_share_is_drawn_on_its_whole_range() -> None:
    def gap(value: float, threshold: float, whole: tuple[float, float] | None) -> float:
        svg = str(whisker(value, value, value, threshold, None, "", whole))
        at = [float(x) for x in re.findall(r'(?:w-border" x1|w-dot" cx)="([\d.]+)"', svg)]
        return at[0] - at[1]

    assert gap(0.98, 0.99, (0.0, 1.0)) < gap(0.38, 0.90, (0.0, 1.0)) / 40
    assert gap(0.98, 0.99, None) == pytest.approx(gap(0.38, 0.90, None))
    assert gap(1.4, 1.5, (0.0, 1.0)) == gap(1.4, 1.5, None)  # a share of something smaller


def test_page_one_says_what_to_do_decided_first_and_what_is_open(run_writer: WriteRun) -> None:
    run = load_run(run_writer())
    first = compose(run, "en").first
    assert first.to_do
    assert all(item.state.state == "answered" for item in first.to_do)
    gated = [bool(item.state.verdicts) for item in first.to_do]
    assert gated == sorted(gated, reverse=True)
    html = render(run.folder).read_text(encoding="utf-8")
    told = html[html.index('class="to-do"') : html.index('class="numbers"')]
    assert all(f'href="#{node.study}"' in told for node in first.board["open"])


def test_a_key_number_without_an_interval_gives_way(run_writer: WriteRun) -> None:
    def study(k: int, told: bool) -> StudyResult:
        low, high = (0.49, 0.51) if told else (None, None)
        reason = "" if told else "need about 90 users"
        found = Estimate(f"e{k}", 0.5, low, high, "t", 30, "users", "share", "all", "all",
                         reason=reason)  # fmt: skip
        head = Message("h", {"estimate": f"e{k}", "label": f"number {k}"})
        return StudyResult(f"s{k}", f"{k}.1", Message("f", {"text": "Q?"}), 0, {}, {}, "",
                           estimates=(found,), text={"headline": (head,)})  # fmt: skip

    studies = tuple(study(k, told=k not in (2, 3)) for k in range(1, 7))
    page = render(run_writer(results=studies)).read_text(encoding="utf-8")
    front = page[: page.index('class="front"')]
    assert [k for k in range(1, 7) if f"number {k}" in front] == [1, 4, 5, 6]


def test_a_gate_without_a_printable_estimate_draws_nothing(run_writer: WriteRun) -> None:
    hidden = Estimate("e", None, None, None, "t", 3, "users", "share", "", "",
                      "not_enough_data", "need about 90 users")  # fmt: skip
    gate = Gate("g", "rule", "", "NOT ANSWERABLE", "no interval", "none", hidden, 0.5)
    study = StudyResult("g", "1.1", Message("f", {"text": "Q?"}), 0, {}, {}, "", gates=(gate,))
    page = render(run_writer(results=(study,))).read_text(encoding="utf-8")
    assert "need about 90 users" in page
    assert '<svg class="whisker"' not in page


def test_chips_and_text_can_be_read_in_light_and_dark() -> None:
    from importlib.resources import files

    css = (files("giftlive.reports") / "templates" / "report.css").read_text(encoding="utf-8")
    themes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
              for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]]  # fmt: skip
    for theme in themes:
        pairs = [("ink", "paper"), ("muted", "paper"), ("accent", "paper"), ("muted", "panel"),
                 ("accent", "panel"), ("pass", "pass-bg"), ("fail", "fail-bg"),
                 ("open", "open-bg"), ("none", "none-bg")]  # fmt: skip
        for one, other in pairs:
            assert contrast(theme[one], theme[other]) >= 4.5, (one, other)


def test_every_function_that_a_study_names_exists() -> None:
    """Also where a package only hands it on: the page names the file that holds it."""
    folder = Path(giftlive.studies.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    named = sorted({where for text in texts for where in re.findall(r'where="([^"]+)"', text)})
    assert len(named) > 30
    assert [where for where in named if module_file(where) is None] == []
    found = module_file("evaluation.leaderboard:predict_all")
    assert found == "evaluation/leaderboard/predictions.py:predict_all"
    assert module_file("evaluation.leaderboard:unheard_of") is None

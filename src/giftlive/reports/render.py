"""From a run folder to its report: one HTML file, one Markdown file, and the figures' twins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from giftlive.evaluation.results import Figure
from giftlive.reports import numbers
from giftlive.reports.figures.frame import frame_csv
from giftlive.reports.figures.interactive import interactive, themes
from giftlive.reports.figures.layout import Layout, lay_out
from giftlive.reports.figures.palette import assign_slots
from giftlive.reports.figures.static import draw_static, inline_svg
from giftlive.reports.first_page import FirstPage, first_page
from giftlive.reports.load import Run, load_run
from giftlive.reports.page import (
    GateRow,
    Speaker,
    StudyPage,
    figure_stem,
    speaker,
    study_page,
    threshold_high,
)
from giftlive.reports.roles import AFTER_EVIDENCE, AFTER_VERDICTS, BEFORE_EVIDENCE
from giftlive.reports.templating import fill_html, fill_markdown, script_json
from giftlive.reports.whisker import whisker


@dataclass(frozen=True)
class Report:
    """A run in one language, ready for either template."""

    run: Run
    say: Speaker
    first: FirstPage
    pages: tuple[StudyPage, ...]
    layouts: Mapping[str, Layout]

    def still(self, stem: str) -> Markup:
        """Return a figure as an ``svg`` element, which needs no script."""
        return Markup(inline_svg(self.layouts[stem], stem))


def render(run_folder: Path, lang: str = "en", add: Sequence[Path] = ()) -> Path:
    """Write ``report.html``, ``report.md`` and ``figures/`` into a run folder.

    Parameters
    ----------
    run_folder : holds ``manifest.json`` and ``results/<study>.json``.
    lang : language of the sentences; figures are always in English.
    add : run folders whose studies are shown as well, where this one has none of the name.

    Returns
    -------
    The path of ``report.html``, one file that asks the network for nothing.

    Raises
    ------
    InputError
        The folder is not a run.
    UsageError
        There is no such language.
    IntegrityError
        A sentence claims a result on KuaiLive for another source.
    """
    report = compose(load_run(run_folder, add), lang)
    write_figures(report, run_folder / "figures")
    (run_folder / "report.md").write_text(markdown(report), encoding="utf-8")
    path = run_folder / "report.html"
    path.write_text(html(report), encoding="utf-8")
    return path


def compose(run: Run, lang: str) -> Report:
    """Return everything both files show, with every figure laid out."""
    figures = {figure_stem(r.study, f.name): f for r in run.results for f in r.figures}
    slots = assign_slots(figures.values())
    layouts = {stem: lay_out(figure, slots) for stem, figure in figures.items()}
    subtitles = {stem: layout.subtitle for stem, layout in layouts.items()}
    say = speaker(run, lang)
    pages = tuple(study_page(result, say, subtitles) for result in run.results)
    return Report(run, say, first_page(run, pages, say), pages, layouts)


def write_figures(report: Report, folder: Path) -> None:
    """Write the SVG, the PNG and the frame of every figure."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, layout in report.layouts.items():
        figure: Figure = layout.figure
        (folder / f"{stem}.csv").write_text(frame_csv(figure), encoding="utf-8")
        draw_static(layout, folder / f"{stem}.svg", folder / f"{stem}.png")


def html(report: Report) -> str:
    """Return the self-contained page; Plotly's JavaScript stands in it once, if it is needed."""
    from plotly.offline import get_plotlyjs

    specs = {stem: interactive(layout) for stem, layout in report.layouts.items()}
    return fill_html(
        "report.html.j2",
        {"css": "report.css", "script": "report.js", "filter_script": "filter.js"},
        **context_of(report),
        whisker=whisker_of(report.say),
        plotly=Markup(get_plotlyjs() if specs else ""),
        static=report.still,
        specs=script_json(specs),
        themes=script_json(themes()),
    )


def markdown(report: Report) -> str:
    """Return the same report as Markdown with LaTeX formulae and links to the static figures."""
    return fill_markdown("report.md.j2", **context_of(report))


def context_of(report: Report) -> dict[str, Any]:
    """Return what every template of a run is given."""
    return {
        "run": report.run,
        "manifest": report.run.manifest,
        "facts": run_facts(report.run, report.say),
        "study_facts": lambda page: study_facts(report.run, page, report.say),
        "first": report.first,
        "pages": report.pages,
        "t": report.say.chrome,
        "word": report.say.word,
        "lang": report.say.lang,
        "num": numbers,
        "before": BEFORE_EVIDENCE,
        "middle": AFTER_VERDICTS,
        "after": AFTER_EVIDENCE,
    }


def run_facts(run: Run, say: Speaker) -> list[tuple[str, str]]:
    """Return what reproduces the run: label, command, seed, versions and fingerprints."""
    manifest, source = run.manifest, run.source
    memory = manifest.get("peak_memory_mb")
    command = manifest.get("command")
    values = {
        "command": " ".join(map(str, command)) if isinstance(command, list) else command,
        "seed": manifest.get("seed"),
        "code_version": manifest.get("code_version"),
        "commit": manifest.get("commit"),
        "created": manifest.get("created"),
        "label": manifest.get("label") or source.get("label"),
        "fingerprint": source.get("fingerprint"),
        "unit": source.get("unit"),
        "rules_hash": manifest.get("rules_hash"),
        "peak_memory": memory and say.chrome("peak_memory", mb=numbers.fixed(float(memory), 0)),
        "packages": ", ".join(f"{k} {v}" for k, v in (manifest.get("packages") or {}).items()),
    }
    return [(say.chrome(f"fact.{k}"), str(v)) for k, v in values.items() if v not in (None, "")]


def study_facts(run: Run, page: StudyPage, say: Speaker) -> list[tuple[str, str]]:
    """Return what reproduces one study: its command, seed, version, inputs and configuration."""
    result = page.result
    kept = ("command", "packages", "created")
    its_run = replace(run, manifest=run.manifest_of(result.study))
    found = [(name, value) for name, value in run_facts(its_run, say) if name in _names(kept, say)]
    own = {"seed": result.seed, "code_version": result.code_version}
    found += [(say.chrome(f"fact.{name}"), str(value)) for name, value in own.items()]
    inputs = [(f"{say.chrome('fact.inputs')}: {k}", v) for k, v in sorted(result.inputs.items())]
    config = [(f"config: {k}", v) for k, v in sorted(result.config.items())]
    return found + [(name, plain_json(value)) for name, value in inputs + config]


def _names(keys: Iterable[str], say: Speaker) -> set[str]:
    return {say.chrome(f"fact.{key}") for key in keys}


def plain_json(value: Any) -> str:
    """Return a configuration value as the reader would type it."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def whisker_of(say: Speaker) -> Callable[[GateRow], Markup]:
    """Return what draws the dot and whisker of a gate."""

    def draw(row: GateRow) -> Markup:
        estimate = row.gate.estimate
        if estimate is None or estimate.value is None or estimate.status != "ok":
            return Markup("")
        if estimate.low is None or estimate.high is None:
            return Markup("")
        words = say.chrome(
            "whisker_words",
            value=row.value,
            interval=row.interval,
            threshold=row.threshold or say.chrome("nothing_here"),
        )
        borders = row.gate.threshold, threshold_high(row.gate)
        whole = (0.0, 1.0) if estimate.unit == "share" else None
        return whisker(estimate.value, estimate.low, estimate.high, *borders, words, whole)

    return draw

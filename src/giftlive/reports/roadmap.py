"""The roadmap: gates, studies, experiments, key figures, and what changed since other runs.

Every cell is read from the results and the manifests of runs, or from the rules and the registry
of studies; nothing is typed by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from giftlive.evaluation.results import Estimate, StudyResult
from giftlive.reports import numbers
from giftlive.reports.first_page import analysed
from giftlive.reports.load import Run, load_run
from giftlive.reports.page import Speaker, speaker, study_page
from giftlive.reports.program import GateState, StudyState, gate_states, study_states
from giftlive.reports.templating import fill_markdown

FAMILIES = {
    "PR-AUC": ("pr_auc",),
    "Top-1 %": (
        "capture_1pct",
        "top_1pct",
        "topk_overlap",
        "user_top1_share",
        "streamer_top1_share",
    ),
    "revenue": ("revenue", "dual_price_share_of_bound", "dual_price_minus_greedy"),
    "Gini": ("gini",),
}
"""The four key figures, and the words in an estimate's name that say it is one of them."""

_FIRST = {"Top-1 %": 0, "PR-AUC": 1, "Gini": 2, "revenue": 3}
"""Where a name belongs to two figures: revenue captured at 1 % is of the head, not of revenue."""


@dataclass(frozen=True)
class Experiment:
    """One study of one run; ``id`` is a digest of the study's results, equal for equal results."""

    id: str
    study: str
    date: str
    commit: str
    seed: int
    verdicts: tuple[str, ...]
    folder: str


@dataclass(frozen=True)
class Moment:
    """One run on the timeline, and what it cost."""

    date: str
    folder: str
    commit: str
    source: str
    command: str
    studies: int
    verdicts: dict[str, int]
    seconds: float


@dataclass(frozen=True)
class KeyFigure:
    """One estimate of the numeric summary, as it may be printed."""

    figure: str
    study: str
    estimate: str
    value: str
    interval: str
    n: str


@dataclass(frozen=True)
class Change:
    """A gate whose verdict differs between two runs that follow each other in time.

    ``because`` names what the manifests do not share: code, rules, data, seed, command.
    """

    gate: str
    study: str
    before: str
    after: str
    estimate_before: str
    estimate_after: str
    date: str
    since: str
    because: tuple[str, ...]


@dataclass(frozen=True)
class Roadmap:
    """Everything ``giftlive roadmap`` prints, in one language."""

    run: Run
    say: Speaker
    gates: tuple[GateState, ...]
    studies: tuple[StudyState, ...]
    experiments: tuple[Experiment, ...]
    timeline: tuple[Moment, ...]
    figures: tuple[KeyFigure, ...]
    changes: tuple[Change, ...]
    compared: int

    def gate_rows(self) -> list[dict[str, Any]]:
        """Return one row of words per gate, run or not."""
        return [_gate(gate) for gate in self.gates]

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers for ``--json``."""
        return {
            "sentence": analysed(self.run, self.say),
            "gates": self.gate_rows(),
            "studies": [asdict(study) for study in self.studies],
            "experiments": [asdict(experiment) for experiment in self.experiments],
            "timeline": [asdict(moment) for moment in self.timeline],
            "figures": [asdict(figure) for figure in self.figures],
            "changes": [asdict(change) for change in self.changes],
            "compared_runs": self.compared,
        }


def roadmap(
    folder: Path, since: Sequence[Path] = (), add: Sequence[Path] = (), lang: str = "en"
) -> Roadmap:
    """Return the roadmap of the run in ``folder``.

    Parameters
    ----------
    since : earlier runs; their verdicts are compared with those of the run, in order of time.
    add : runs of single studies on the same source that belong to this one.

    Raises
    ------
    InputError
        A folder is not a run, or a run to add analysed other data.
    UsageError
        There is no such language.
    """
    run = load_run(folder, add)
    say = speaker(run, lang)
    pages = tuple(study_page(result, say, _NoSubtitle()) for result in run.results)
    runs = sorted([*(load_run(old) for old in since), run], key=_date)
    return Roadmap(
        run=run,
        say=say,
        gates=gate_states(run, pages, say),
        studies=study_states(run, pages, say),
        experiments=tuple(e for each in runs for e in _experiments(each)),
        timeline=tuple(_moment(each) for each in runs),
        figures=tuple(_figures(run, say)),
        changes=tuple(c for old, new in pairwise(runs) for c in _changes(old, new)),
        compared=len(since),
    )


class _NoSubtitle(dict[str, str]):
    """A roadmap has no figures: no subtitle is asked for its text."""

    def __missing__(self, stem: str) -> str:
        return ""


def _date(run: Run) -> str:
    return str(run.manifest.get("created") or "")


def _gate(gate: GateState) -> dict[str, Any]:
    estimate = f"{gate.value} {gate.interval}".strip() or "none"
    return {
        "gate": gate.id,
        "study": gate.study,
        "rule": gate.rule,
        "verdict": gate.verdict,
        "estimate": estimate,
        "threshold": gate.threshold,
        "reason": gate.reason,
        "consequence": gate.consequence,
        "next": gate.next,
    }


def commit_of(manifest: dict[str, Any]) -> str:
    """Return the commit that made a run, else the digest of its code."""
    return str(manifest.get("commit") or manifest.get("code_version") or "")


def experiment_id(result: StudyResult) -> str:
    """Return eight hexadecimal digits that are the same exactly for the same results."""
    text = json.dumps(result.as_dict(), sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _experiments(run: Run) -> Iterator[Experiment]:
    for result in run.results:
        manifest = run.manifest_of(result.study)
        yield Experiment(
            id=experiment_id(result),
            study=result.study,
            date=str(manifest.get("created") or ""),
            commit=commit_of(manifest),
            seed=result.seed,
            verdicts=("SKIPPED",) if result.skipped else tuple(g.verdict for g in result.gates),
            folder=run.folder.name,
        )


def _moment(run: Run) -> Moment:
    manifest, source = run.manifest, run.source
    steps = manifest.get("steps") or []
    counted = Counter(gate.verdict for result in run.results for gate in result.gates)
    return Moment(
        date=_date(run),
        folder=run.folder.name,
        commit=commit_of(manifest),
        source=str(source.get("label") or source.get("kind") or ""),
        command=str(manifest.get("command") or ""),
        studies=sum(result.skipped is None for result in run.results),
        verdicts=dict(sorted(counted.items())),
        seconds=sum(float(step.get("seconds") or 0.0) for step in steps),
    )


def _figures(run: Run, say: Speaker) -> Iterator[KeyFigure]:
    """Yield the estimates of every study that are one of the four figures."""
    for result in run.results:
        for estimate in result.estimates:
            family = figure_of(estimate.name)
            if family is not None:
                value, interval = say.estimate(estimate)
                n = f"{numbers.fixed(estimate.n, 0)} {say.word(estimate.n_unit)}"
                yield KeyFigure(family, result.study, estimate.name, value, interval, n)


def figure_of(name: str) -> str | None:
    """Return which of the four key figures an estimate of this name is; None: of none.

    Examples
    --------
    >>> figure_of("revenue_capture_1pct_gain"), figure_of("revenue_greedy"), figure_of("ece")
    ('Top-1 %', 'revenue', None)
    """
    found = [f for f, words in FAMILIES.items() if any(word in name for word in words)]
    return min(found, key=lambda figure: _FIRST[figure], default=None)


def _changes(old: Run, new: Run) -> Iterator[Change]:
    """Yield every gate that both runs, or only one, judged, where the verdicts differ."""
    before, after = _verdicts(old), _verdicts(new)
    for gate in sorted(before.keys() | after.keys()):
        (study, one, first), (other, two, second) = (
            found.get(gate, ("", "SKIPPED", None)) for found in (before, after)
        )
        if one != two:
            yield Change(
                gate=gate,
                study=other or study,
                before=one,
                after=two,
                estimate_before=_shown(first),
                estimate_after=_shown(second),
                date=_date(new),
                since=_date(old),
                because=tuple(_differences(old, new)),
            )


def _verdicts(run: Run) -> dict[str, tuple[str, str, Estimate | None]]:
    return {
        gate.id: (result.study, gate.verdict, gate.estimate)
        for result in run.results
        for gate in result.gates
    }


def _differences(old: Run, new: Run) -> Iterator[str]:
    """Yield what the two manifests do not share: where a changed verdict may come from."""
    pairs = {
        "code": (old.manifest.get("code_version"), new.manifest.get("code_version")),
        "rules": (old.manifest.get("rules_hash"), new.manifest.get("rules_hash")),
        "data": (old.source.get("fingerprint"), new.source.get("fingerprint")),
        "seed": (old.manifest.get("seed"), new.manifest.get("seed")),
        "command": (old.manifest.get("command"), new.manifest.get("command")),
    }
    return (name for name, (one, other) in pairs.items() if one != other)


def _shown(estimate: Estimate | None) -> str:
    parts = numbers.estimate_parts(estimate) if estimate else None
    return " ".join(part for part in parts if part) if parts else numbers.DASH


def roadmap_markdown(found: Roadmap) -> str:
    """Return the roadmap as Markdown."""
    say = found.say
    return fill_markdown(
        "roadmap.md.j2",
        map=found,
        run=found.run,
        sentence=analysed(found.run, say),
        counted=lambda moment: counted(moment, say),
        because=lambda change: because(change, say),
        t=say.chrome,
        word=say.word,
        num=numbers,
    )


def counted(moment: Moment, say: Speaker) -> str:
    """Return how many gates of a run say what."""
    return ", ".join(
        say.chrome("roadmap.count", verdict=verdict, n=n) for verdict, n in moment.verdicts.items()
    ) or say.chrome("nothing_here")  # fmt: skip


def because(change: Change, say: Speaker) -> str:
    """Return in words what two runs with different verdicts do not share."""
    named = [say.chrome(f"roadmap.differs.{name}") for name in change.because]
    return ", ".join(named) or say.chrome("roadmap.nothing_recorded")

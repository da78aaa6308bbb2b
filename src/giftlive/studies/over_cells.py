"""Numbers of studies that play policies: asked of the readings, in tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from giftlive.config_rollouts import RoundsConfig
from giftlive.evaluation.behavioural import Reading
from giftlive.evaluation.results import Estimate, Figure, Gate, Series, StudyResult, Table
from giftlive.evaluation.rollouts import Cell, CellStore, Workers, run_cells
from giftlive.evaluation.rollouts.cells import Measure
from giftlive.studies.context import Context, Study, say
from giftlive.studies.over_worlds import OverWorlds, columns_of, dots
from giftlive.types import Message

Place = tuple[str, str, str]
"""Table, row, column of a reading."""


@dataclass(frozen=True)
class Ask:
    """A number over seeds.

    Attributes
    ----------
    kind : ``level`` mean of one; ``change`` mean of one - other; ``gain`` Σ (one - other) / Σ
        other; ``ratio`` Σ one / Σ other. All are paired by seed.
    """

    kind: Literal["level", "change", "gain", "ratio"]
    unit: str
    one: Place
    other: Place = ("", "", "")


@dataclass(frozen=True)
class Cells:
    """The numbers of a study, over its seeds.

    Attributes
    ----------
    study : its name, as in the keys of its sentences.
    """

    study: str
    found: OverWorlds

    def estimate(self, name: str, ask: Ask) -> Estimate:
        """Return the number that is asked for, as it may be printed."""
        one, other = (self.found.column(*place) for place in (ask.one, ask.other))
        if ask.kind == "level":
            return self.found.mean(name, one, ask.unit)
        if ask.kind == "change":
            return self.found.change(name, one, other, ask.unit)
        if ask.kind == "gain" and one is not None and other is not None:
            one = one - other
        return self.found.ratio(name, one, other, ask.unit)

    def value(self, ask: Ask) -> float:
        """Return the value alone, 0 where there is none."""
        return self.estimate("value", ask).value or 0.0

    def table(
        self,
        name: str,
        first: str,
        columns: Mapping[str, str],
        rows: Iterable[str],
        asked: Callable[[str, str], Ask | str],
        **params: Any,
    ) -> Table:
        """Return a table: ``columns`` name -> unit; ``asked`` says what is in (row, column)."""
        made: list[tuple[Any, ...]] = []
        for label in rows:
            cells: list[Any] = []
            for column in columns:
                ask = asked(label, column)
                cells.append(self.estimate(column, ask) if isinstance(ask, Ask) else ask)
            made.append((label, *cells))
        return Table(
            name=name,
            columns=(first, *columns),
            units=("", *columns.values()),
            rows=tuple(made),
            caption=Message(
                f"study.{self.study}.table.{name}", {"seeds": len(self.found.seeds)} | params
            ),
        )

    def figure(
        self,
        name: str,
        title: str,
        subtitle: str,
        axes: tuple[str, str],
        series: Sequence[Series],
        **options: Any,
    ) -> Figure:
        """Return a figure with the study's sentences."""
        key = f"study.{self.study}.figure.{name}"
        return Figure(
            name=name,
            title=title,
            subtitle=subtitle,
            x_label=axes[0],
            y_label=axes[1],
            series=tuple(series),
            shows=Message(f"{key}.shows", {}),
            follows=Message(f"{key}.follows", {}),
            **options,
        )

    def dots(self, name: str, asked: Mapping[str, Ask]) -> Series:
        """Return one dot per place on an axis of names."""
        return dots(name, {place: self.estimate(place, ask) for place, ask in asked.items()})

    def path(self, name: str, points: Sequence[tuple[Ask, Ask]], by_x: bool = True) -> Series:
        """Return a line through pairs of numbers, x and y, in the order of x or as they come."""
        pairs = [(self.value(x), self.estimate(name, y)) for x, y in points]
        if by_x:
            pairs.sort(key=lambda pair: pair[0])
        return Series(
            name=name,
            x=tuple(x for x, _ in pairs),
            y=tuple(y.value or 0.0 for _, y in pairs),
            n=tuple(y.n for _, y in pairs),
        )

    def named(self, asked: Mapping[str, Ask]) -> tuple[Estimate, ...]:
        """Return the estimates that the gates and the page name."""
        return tuple(replace(self.estimate(name, ask), name=name) for name, ask in asked.items())


def play_cells(
    study: str, context: Context, measure: Measure, cells: Sequence[Cell], population: str
) -> Cells:
    """Play every cell, or read it where it stands, and keep the readings behind the numbers."""
    readings = played_readings(context, measure, cells)
    context.keep("readings", columns_of(readings))
    return as_cells(study, readings, population)


def played_readings(
    context: Context, measure: Measure, cells: Sequence[Cell]
) -> tuple[Reading, ...]:
    """Play every cell, or read it where it stands."""
    asked = context.config.rollouts
    return run_cells(
        measure,
        cells,
        CellStore(context.cells, context.code_version),
        Workers(context.config.jobs, asked.backend, asked.scheduler),
        context.progress,
    )


def as_cells(study: str, readings: Sequence[Reading], population: str) -> Cells:
    """Return readings as numbers over their seeds, in the order in which these first come."""
    seeds = tuple(dict.fromkeys(r.seed for r in readings))
    return Cells(study, OverWorlds(tuple(readings), seeds, population))


def cells_of(config: RoundsConfig, first_seed: int, **settings: Any) -> list[Cell]:
    """Return one cell per seed of a study's world."""
    return [
        Cell(
            point=config.preset,
            seed=first_seed + k,
            preset=config.preset,
            scale=config.scale,
            overrides=tuple(sorted(config.overrides.items())),
            settings=(("errors", config.errors), *settings.items()),
        )
        for k in range(config.seeds)
    ]


def result_of(
    study: Study, context: Context, asked: BaseModel, world: str, **made: Any
) -> StudyResult:
    """Return a study's result.

    Parameters
    ----------
    asked : the study's section of the configuration. world : its worlds, in words. made : checks,
        estimates, gates, tables, figures and text.
    """
    return StudyResult(
        study=study.name,
        id=study.id,
        question=Message(f"study.{study.name}.question", {}),
        seed=context.config.seed,
        config=asked.model_dump(),
        inputs=context.inputs() | {"world": world},
        code_version=context.code_version,
        **made,
    )


LISTS = {
    "pipeline": ("1", "2", "3", "4"),
    "outcomes": ("passed", "rejected", "anomaly"),
    "assumptions": ("values", "world"),
    "limits": ("rounds", "errors"),
}
"""Sentences that every such page has, by role."""


def text(
    study: str,
    gate: Gate,
    headline: str,
    modules: Mapping[str, str],
    params: Mapping[str, Any],
) -> dict[str, tuple[Message, ...]]:
    """Return the sentences of a page, by role; ``modules`` name -> where."""
    said = dict(params)
    plain = ("finding", "mechanism", "design", "insight", "tradeoffs", "scope", "next")
    page = {role: say(study, role, **said) for role in (*plain, "cannot_tell")}
    page |= {role: say(study, role, *names, **said) for role, names in LISTS.items()}
    return page | {
        "headline": say(study, "headline", estimate=headline),
        "consensus": say(
            study, "consensus", evidence=gate.reason, decision=gate.consequence, **said
        ),
        "decision": say(study, "decision", consequence=gate.consequence),
        "inputs": say(study, "inputs", value=f"{said['seeds']} seeds of {said['world']}"),
        "outputs": say(study, "outputs", value=said["played"]),
        "modules": tuple(
            message
            for name, where in modules.items()
            for message in say(study, f"modules.{name}", where=where)
        ),
    }

"""Labels and all features of a full-size log: both forms of the tables against Polars.

Three programs read the same store and write the same two files, each in a process of its own:

- native:    ``build_tables(form="native")``, DuckDB and the compiled sweep
- portable:  ``build_tables(form="portable")``, one SQL text on DuckDB
- polars:    ``benchmarks.tables_polars``, written by hand for this log

Printed are processor seconds of the whole process (start and reading included), the wall's clock,
and peak memory; ratios are of processor seconds, turn by turn. A form that writes other labels or
other features is not faster: the benchmark stops with exit code 1 unless integers agree exactly
and doubles to 1e-9. Each program runs once on a small log before the clock starts, so that
compiling is not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.tables_log import Size, cached_log
from benchmarks.timing import ratio
from giftlive.run.cache import default_cache

FORMS, PEER = ("native", "portable"), "polars"
THREADS, TOLERANCE, SMALL = "2", 1e-9, 5_000
POLARS_MEMORY = "dirty_decay_ms:20000,muzzy_decay_ms:-1,thp:always,metadata_thp:auto"
"""Large pages that are kept: a tenth less processor time for Polars, more memory."""
TABLES = ("labels", "samples")


@dataclass(frozen=True)
class Cost:
    """What one process took: processor and wall seconds, and peak memory in GiB."""

    processor: float
    wall: float
    peak: float


def command(form: str, store: Path, out: Path, memory: str) -> list[str]:
    """Return the program that writes the tables of ``store`` into ``out``."""
    if form == PEER:
        return ["-m", "benchmarks.tables_polars", str(store), str(out)]
    text = (
        "from pathlib import Path; from giftlive.logs.store import Store;"
        "from giftlive.tables.build import build_tables;"
        "from giftlive.tables.options import TableOptions;"
        f"build_tables(Store.open(Path({str(store)!r})), Path({str(out)!r}),"
        f" TableOptions(form={form!r}, memory_limit={memory!r}, threads={THREADS}))"
    )
    return ["-c", text]


def cost(form: str, store: Path, out: Path, memory: str) -> Cost:
    """Run one form in a process of its own and return what it took.

    Raises
    ------
    SystemExit
        Where the process fails.
    """
    environment = os.environ | {"POLARS_MAX_THREADS": THREADS, "_RJEM_MALLOC_CONF": POLARS_MEMORY}
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command(form, store, out, memory)], env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{form} failed on {store}")
    per_gib = 2**30 if sys.platform == "darwin" else 2**20
    spent = usage.ru_utime + usage.ru_stime
    return Cost(spent, perf_counter() - started, usage.ru_maxrss / per_gib)


def differences(found: Path, expected: Path) -> Iterator[str]:
    """Yield in words every column in which two folders of tables differ.

    Columns that only one of the two has are not compared; every feature of the peer that the
    source supports is in both, or is named.
    """
    for name in TABLES:
        files = [rows_of(folder, name) for folder in (found, expected)]
        rows = [file.count_rows() for file in files]
        if rows[0] != rows[1]:
            yield f"{name}: {rows[0]:,} rows, not {rows[1]:,}"
            continue
        columns = [file.schema.names for file in files]
        for column in (c for c in columns[1] if c in columns[0]):
            a, b = (file.to_table([column]).column(0) for file in files)
            if a.null_count or b.null_count:
                yield f"{name}, {column}: absent values"
            elif wrong := unequal(a.to_numpy(), b.to_numpy()):
                yield f"{name}, {column}: {wrong}"


def rows_of(folder: Path, name: str) -> Any:
    """Return a table of a folder: one file, or a folder of parts in the order of their names."""
    from pyarrow.dataset import dataset

    parts = folder / name
    return dataset(parts if parts.is_dir() else folder / f"{name}.parquet", format="parquet")


def unequal(found: Any, expected: Any) -> str:
    """Return in words where two columns [n] differ, '' where they agree."""
    if found.dtype.kind == expected.dtype.kind == "i":
        differ = found != expected
    else:
        a, b = found.astype(np.float64), expected.astype(np.float64)
        differ = ~(np.abs(a - b) <= TOLERANCE * np.maximum(1.0, np.abs(b)))
    if not differ.any():
        return ""
    first = int(np.argmax(differ))
    return f"{int(differ.sum()):,} rows, first {first}: {found[first]}, not {expected[first]}"


def missing(found: Path, features: Sequence[str]) -> list[str]:
    """Return the features that a folder of tables lacks."""
    names = set(rows_of(found, "samples").schema.names)
    return [name for name in features if name not in names]


def compared(store: Path, folder: Path, forms: Sequence[str], memory: str) -> list[str]:
    """Run every form once and return what is wrong, in words."""
    from benchmarks.tables_polars import FEATURES

    for form in (PEER, *forms):
        cost(form, store, folder / form, memory)
    problems = []
    for form in forms:
        lacking = missing(folder / form, FEATURES)
        problems += [f"{form} lacks {', '.join(lacking)}"] if lacking else []
        problems += [f"{form}: {d}" for d in differences(folder / form, folder / PEER)]
    return problems


def in_turns(
    store: Path, folder: Path, forms: Sequence[str], memory: str, times: int
) -> dict[str, list[Cost]]:
    """Return what each form costs on ``store``, ``times`` times in turns."""
    costs: dict[str, list[Cost]] = {form: [] for form in forms}
    for _ in range(times):
        for form in forms:
            costs[form].append(cost(form, store, folder / form, memory))
    return costs


def show(title: str, costs: dict[str, list[Cost]]) -> None:
    """Print medians over turns, and ratios to Polars with the smallest and the largest."""
    print(f"\n{title}\n{'':10}{'processor s':>12}{'wall s':>9}{'peak GiB':>10}   over Polars")
    for form, turns in costs.items():
        seconds = [turn.processor for turn in turns]
        line = f"{form:10}{median(seconds):12.1f}{median(t.wall for t in turns):9.1f}"
        line += f"{max(t.peak for t in turns):10.2f}"
        if PEER in costs and form != PEER:
            middle, low, high = ratio(seconds, [turn.processor for turn in costs[PEER]])
            line += f"{middle:10.2f}x ({low:.2f} - {high:.2f})"
        print(line)


def show_growth(rows: float, small: dict[str, list[Cost]], large: dict[str, list[Cost]]) -> None:
    """Print how much more the larger log costs, turn by turn."""
    print(f"\n{rows:g} times the rows\n{'':10}{'processor s':>12}{'peak':>20}")
    for form in small:
        seconds = [[turn.processor for turn in costs[form]] for costs in (large, small)]
        middle, low, high = ratio(*seconds)
        peaks = [max(turn.peak for turn in costs[form]) for costs in (small, large)]
        spread = f"({low:.2f} - {high:.2f})"
        print(f"{form:10}{middle:11.2f}x {spread}, {peaks[0]:.2f} -> {peaks[1]:.2f} GiB")


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="giftlive bench tables", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--clicks", type=int, default=Size().clicks, help="all else in proportion")
    parser.add_argument("--times", type=int, default=3, help="turns; printed are medians")
    parser.add_argument("--rows", type=float, default=1.0, help="also this many times the rows")
    parser.add_argument("--forms", nargs="+", choices=(*FORMS, PEER), default=[*FORMS, PEER])
    parser.add_argument("--source", type=Path, help="a store in place of the drawn log")
    parser.add_argument("--memory", default="2GB", help="limit of DuckDB")
    parser.add_argument("--cache", type=Path, default=default_cache() / "benchmarks")
    return parser.parse_args()


def main() -> int:
    """Print costs, ratios and growth; exit 1 if the results differ."""
    asked = arguments()
    size = Size().with_clicks(asked.clicks)
    ours = [form for form in asked.forms if form != PEER]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        small = cached_log(asked.cache, Size().with_clicks(SMALL))
        store = asked.source or cached_log(asked.cache, size)
        problems, costs = compared(small, folder, ours, asked.memory), {}
        if not problems:
            costs = in_turns(store, folder, asked.forms, asked.memory, asked.times)
            if PEER in asked.forms:
                for form in ours:
                    problems += [f"{form}: {d}" for d in differences(folder / form, folder / PEER)]
        if problems:
            print("\n".join(problems), file=sys.stderr)
            return 1
        show(f"{store.name}: the results agree" if ours else store.name, costs)
        if asked.rows != 1.0:
            larger = cached_log(asked.cache, size.times(asked.rows))
            grown = in_turns(larger, folder, asked.forms, asked.memory, asked.times)
            show(larger.name, grown)
            show_growth(asked.rows, costs, grown)
    return 0


if __name__ == "__main__":
    sys.exit(main())

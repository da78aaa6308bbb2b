"""Every benchmark in one go, and the page that shows them: ``docs/benchmarks.md``.

Each benchmark is a process of its own with its command line; what it printed, its exit code, its
processor seconds and the load of the machine before it are kept in the cache, and a benchmark that
was measured with these arguments is not run again (``--again`` runs all); the page says with which
code each was measured. ``--quick`` takes sizes that a small machine finishes in minutes; the page
says so. What cannot run here (an extra is missing, a run folder is needed) stands on the page with
the reason and the command.

Exit 1 when a benchmark failed; the page is written all the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks.page import Measured, page
from giftlive.run.cache import default_cache
from giftlive.run.manifest import code_version

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Bench:
    """One benchmark: its module, its peer, its arguments in full and quick, and what it needs.

    Attributes
    ----------
    needs : modules that must be installed. asks : an argument without which it cannot run.
    """

    name: str
    title: str
    peer: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    asks: str = ""

    def arguments(self, quick: bool) -> tuple[str, ...]:
        """Return the command line of this size."""
        return self.quick if quick else self.full


BENCHES = (
    Bench(
        "tables", "Labels and features from a stored log", "Polars by hand",
        quick=("--clicks", "500000", "--times", "1"), needs=("polars",),
    ),
    Bench(
        "models", "Value models: fit, prediction, Scorer", "plain LightGBM Tweedie",
        quick=("--rows", "500000", "--models", "hurdle,two_part,ridge"),
    ),
    Bench(
        "world_rounds", "Contacts per second of a world in rounds", "a loop in plain Python",
        quick=("--rounds", "5", "--plain-rounds", "1", "--repeats", "1"),
    ),
    Bench(
        "allocation", "Allocation beside its bound; solvers", "the exact minimum-cost flow",
        quick=("--part", "solvers", "--users", "2000", "--rooms", "100", "--repeats", "1"),
    ),
    Bench(
        "decisions", "One decide of every policy", "numpy.argmax of the same values",
        quick=("--repeats", "1"),
    ),
    Bench(
        "dual_price", "A dual-price decision, and retrieval", "numpy.argmax; the full product",
        quick=("--rooms", "20000", "--repeats", "1"),
    ),
    Bench(
        "bootstrap", "User-clustered resamples of a ratio", "plain NumPy on sums per user",
        quick=("--rows", "50000", "--users", "5000", "--replicates", "100", "--repeats", "1"),
    ),
    Bench(
        "ope", "Off-policy estimates with intervals", "Open Bandit Pipeline (--obp PYTHON)",
        quick=("--rows", "50000", "--users", "5000", "--replicates", "100"),
    ),
    Bench(
        "service", "Durable decisions per second over HTTP", "a bare FastAPI call",
        quick=("--decisions", "300", "--connections", "1,16"), needs=("fastapi", "uvicorn"),
        asks="--run",
    ),
    Bench(
        "neural", "An epoch of the network", "nothing: a projection", needs=("torch",),
        quick=("--rows", "50000"),
    ),
    Bench(
        "curves", "Cost curves", "nothing: growth",
        full=("--json",), quick=("--quick", "--json"),
    ),
)  # fmt: skip


def measure(bench: Bench, arguments: Sequence[str]) -> Measured:
    """Run one benchmark in a process of its own and return what it printed and cost."""
    command = ["python", "-m", f"benchmarks.{bench.name}", *arguments]
    load, wall, before = os.getloadavg()[0], perf_counter(), _processor()
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Measured(
        name=bench.name,
        title=bench.title,
        peer=bench.peer,
        command=" ".join(command),
        printed=done.stdout.strip() if done.returncode in (0, 1) else "",
        reason=done.stderr.strip()[-400:] if done.returncode else "",
        code=done.returncode,
        load=load,
        wall=perf_counter() - wall,
        processor=_processor() - before,
        date=datetime.now(UTC).date().isoformat(),
        code_version=code_version(),
    )


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def refused(bench: Bench, arguments: Sequence[str]) -> str:
    """Return why a benchmark cannot run here, "" where it can."""
    absent = [name for name in bench.needs if importlib.util.find_spec(name) is None]
    if absent:
        return f"needs {', '.join(absent)}, which is not installed"
    return f"needs {bench.asks}" if bench.asks and bench.asks not in arguments else ""


def not_run(bench: Bench, arguments: Sequence[str], reason: str) -> Measured:
    """Return the place of a benchmark that has no figures."""
    command = " ".join(["python", "-m", f"benchmarks.{bench.name}", *arguments])
    return Measured(bench.name, bench.title, bench.peer, command, reason=reason)


def results(asked: argparse.Namespace) -> list[Measured]:
    """Return every benchmark measured, from the cache where it was measured before."""
    found = []
    for bench in BENCHES:
        extra = tuple(f"--run={asked.run}".split("=")) if bench.asks and asked.run else ()
        arguments = (*bench.arguments(asked.quick), *extra)
        reason = refused(bench, arguments)
        kept = cached(asked.cache, bench, arguments)
        if reason or (bench.name not in (asked.only or bench.name)):
            found.append(kept or not_run(bench, arguments, reason or "left out of this run"))
            continue
        if kept is None or asked.again:
            print(f"{bench.name}: {bench.title}", file=sys.stderr, flush=True)
            kept = measure(bench, arguments)
            keep(asked.cache, bench, arguments, kept)
        found.append(kept)
    return found


def entry(cache: Path, bench: Bench, arguments: Sequence[str]) -> Path:
    """Return the file in which a benchmark of these arguments is kept."""
    named = "_".join(word.lstrip("-").replace("/", "-") for word in (bench.name, *arguments))
    return cache / "page" / f"{named[:120]}.json"


def cached(cache: Path, bench: Bench, arguments: Sequence[str]) -> Measured | None:
    """Return what was measured before; None where nothing was."""
    path = entry(cache, bench, arguments)
    return Measured(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def keep(cache: Path, bench: Bench, arguments: Sequence[str], measured: Measured) -> None:
    """Keep what was measured; a failure is not kept."""
    if measured.code == 0:
        path = entry(cache, bench, arguments)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(measured), indent=1), encoding="utf-8")


def main() -> int:
    """Measure what is missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="sizes that take minutes")
    parser.add_argument("--again", action="store_true", help="measure again what the cache has")
    parser.add_argument("--only", nargs="+", help="measure these; the others from the cache")
    parser.add_argument("--run", help="run folder, for the service")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--cache", type=Path, default=default_cache() / "benchmarks")
    asked = parser.parse_args()
    found = results(asked)
    asked.out.write_text(page(found, quick=asked.quick), encoding="utf-8")
    print(f"benchmarks: {asked.out}")
    failed = [m.name for m in found if m.code not in (None, 0)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

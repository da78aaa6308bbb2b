"""``giftlive doctor``: is this machine able to run a loop, and what would stop it?"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from giftlive.cli import options, show

State = Literal["ok", "BAD", "--"]
"""Fit; in the way of the demo; missing, but only an extra needs it."""

FIRST, AFTER_LAST = (3, 11), (3, 14)
JAVA = 17
"""The oldest Java that PySpark 4 runs on."""

NEEDED_GIB, FREE_GIB = 4, 1

EXTRAS = {
    "service": (("fastapi", "uvicorn", "httpx", "prometheus_client"), "giftlive serve"),
    "spark": (("pyspark", "xgboost"), "--engine spark"),
    "neural": (("torch",), "the models multi_task and ziln_network"),
    "gym": (("gymnasium",), "giftlive.world.gym"),
    "bench": (("polars",), "giftlive bench tables"),
    "cluster": (("distributed",), "rollouts.backend=dask"),
}
"""Extra -> what it brings, and what asks for it."""

LOADED = ("duckdb", "numpy", "scipy", "numba", "lightgbm", "ortools", "pyarrow")
"""Packages with compiled parts: installed is not yet loadable (a missing libgomp, an old libc)."""


@dataclass(frozen=True)
class Finding:
    """One thing examined: its name, how it is, what was found, and what to do about it."""

    name: str
    state: State
    found: str
    hint: str = ""


def doctor(
    cache: Annotated[Path | None, typer.Option("--cache", help="The cache to examine.")] = None,
    json: options.Json = False,
) -> None:
    """Check Python, packages, extras, memory, disk and cache; exit 2 when something is in the way.

    A line says ok, BAD (the demo cannot run) or -- (an extra is missing; nothing else needs it).
    """
    from giftlive.run.cache import default_cache
    from giftlive.run.manifest import package_versions

    found = [
        _python(sys.version_info[:2]),
        *[_package(name, version) for name, version in package_versions().items()],
        _highspy(),
        *[_extra(name) for name in EXTRAS],
        _java(),
        _zones(),
        _memory(),
        _disk(cache or default_cache()),
    ]
    if json:
        checks = [asdict(f) | {"ok": f.state != "BAD"} for f in found]
        show.as_json({"checks": checks})
    else:
        for one in found:
            typer.echo(f"{one.state:<5}{one.name:<16}{one.found}")
            if one.hint and one.state == "BAD":
                typer.echo(f"     Hint: {one.hint}")
    if any(one.state == "BAD" for one in found):
        raise typer.Exit(2)


def _python(version: tuple[int, int]) -> Finding:
    fit = FIRST <= version < AFTER_LAST
    hint = "install Python 3.11, 3.12 or 3.13; in a clone PYTHON=python3.12 scripts/setup takes it"
    shown = ".".join(map(str, version))
    return Finding("python", "ok" if fit else "BAD", f"{shown}, {sys.executable}", hint)


def _package(name: str, version: str) -> Finding:
    if version == "absent":
        hint = "in a clone run scripts/setup; elsewhere install the wheel again"
        return Finding(name, "BAD", "not installed", hint)
    broken = _load_error(name) if name in LOADED else ""
    if broken:
        hint = f"install it again (pip install --force-reinstall {name})"
        hint = "install libgomp (Debian: apt-get install libgomp1)" if "gomp" in broken else hint
        return Finding(name, "BAD", f"{version}, but it does not load: {broken}", hint)
    return Finding(name, "ok", version)


def _load_error(name: str) -> str:
    """Return in one line why a package cannot be imported, "" when it can."""
    try:
        importlib.import_module(name)
    except (ImportError, OSError, AttributeError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""


def _absent(name: str) -> bool:
    return importlib.util.find_spec(name) is None


def _highspy() -> Finding:
    """Say whether the one package that cannot share a process with OR-tools is installed."""
    there = not _absent("highspy")
    found = "present: never import it beside ortools" if there else "absent (good)"
    return Finding("highspy", "ok", found)


def _extra(name: str) -> Finding:
    packages, asker = EXTRAS[name]
    missing = [package for package in packages if _absent(package)]
    if not missing:
        return Finding(f"extra {name}", "ok", "installed")
    found = f"without {', '.join(missing)}; {asker} needs it: {_how_to_get(name)}"
    return Finding(f"extra {name}", "--", found)


def _how_to_get(extra: str) -> str:
    from giftlive.errors import install_hint
    from giftlive.models.neural.extra import TORCH

    return TORCH if extra == "neural" else install_hint(extra)


def _java() -> Finding:
    """Say whether Spark would find a Java runtime; without PySpark nobody asks."""
    if _absent("pyspark"):
        return Finding("java", "--", "not looked for: only the extra spark needs it")
    program = shutil.which("java", path=_java_path())
    if program is None:
        hint = "Debian: apt-get install default-jre-headless, or set JAVA_HOME"
        return Finding("java", "--", f"PySpark is there and no Java runtime is: {hint}")
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    version = _java_version(said.stderr + said.stdout)
    if version < JAVA:
        return Finding("java", "--", f"{version or 'unknown'}, {program}; Spark needs {JAVA}")
    return Finding("java", "ok", f"{version}, {program}")


def _java_path() -> str:
    home = os.environ.get("JAVA_HOME")
    own = [str(Path(home) / "bin")] if home else []
    return os.pathsep.join([*own, os.environ.get("PATH", "")])


def _java_version(said: str) -> int:
    """Return the feature release that ``java -version`` names, 0 where it names none.

    Examples
    --------
    >>> _java_version('openjdk version "17.0.9" 2023-10-17'), _java_version('java version "1.8.0"')
    (17, 8)
    """
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0


def _zones() -> Finding:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Finding("time zones", "BAD", "no zone data", "pip install tzdata")
    return Finding("time zones", "ok", "found")


def _memory() -> Finding:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    hint = "take less: --set demo.scale=tiny --set memory_limit=1GB --set jobs=1"
    found = f"{gib:.1f} GiB, {cores} cores (the demo needs {NEEDED_GIB} GiB)"
    return Finding("memory", "ok" if gib >= NEEDED_GIB else "BAD", found, hint)


def _disk(cache: Path) -> Finding:
    """Look at the folder in which the cache is or would be made, by writing into it."""
    folder = next(p for p in (cache, *cache.absolute().parents) if p.exists())
    other = "name another place: --cache DIR, or GIFTLIVE_CACHE=DIR for all commands"
    if not folder.is_dir():
        return Finding("cache", "BAD", f"{cache}: {folder} is a file", other)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding("cache", "BAD", f"{cache}: {folder} cannot be written ({error})", other)
    free = shutil.disk_usage(folder).free / 2**30
    hint = f"free some space (at least {FREE_GIB} GiB), or {other}"
    return Finding(
        "cache", "ok" if free > FREE_GIB else "BAD", f"{cache}, {free:.1f} GiB free", hint
    )

"""``giftlive doctor``: is this machine able to run a loop, and what would stop it?"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def doctor(
    cache: Annotated[Path | None, typer.Option("--cache", help="The cache to examine.")] = None,
    json: options.Json = False,
) -> None:
    """Check Python, packages, memory, disk and the cache; exit 2 when something is wrong."""
    from giftlive.run.cache import default_cache
    from giftlive.run.manifest import package_versions

    rows = [
        _python(),
        *[_package(name, found) for name, found in package_versions().items()],
        _highspy(),
        _memory(),
        _disk(cache or default_cache()),
    ]
    if json:
        show.as_json({"checks": [dict(zip(("name", "ok", "found"), r, strict=True)) for r in rows]})
    else:
        for name, ok, found in rows:
            typer.echo(f"{'ok ' if ok else 'BAD'}  {name:<16}{found}")
    if not all(ok for _, ok, _ in rows):
        raise typer.Exit(2)


def _python() -> tuple[str, bool, str]:
    return "python", sys.version_info >= (3, 11), sys.version.split()[0]


def _package(name: str, found: str) -> tuple[str, bool, str]:
    return name, found != "absent", found


def _highspy() -> tuple[str, bool, str]:
    """Say whether the one package that cannot share a process with OR-tools is installed."""
    present = importlib.util.find_spec("highspy") is not None
    return (
        "highspy",
        True,
        "present: never import it beside ortools" if present else "absent (good)",
    )


def _memory() -> tuple[str, bool, str]:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return "memory", gib >= 4, f"{gib:.1f} GiB, {cores} cores (the demo needs 4 GiB)"


def _disk(cache: Path) -> tuple[str, bool, str]:
    folder = next(p for p in (cache, *cache.parents) if p.exists())
    free = shutil.disk_usage(folder).free / 2**30
    writable = os.access(folder, os.W_OK)
    return (
        "cache",
        writable and free > 1,
        f"{cache}, {free:.1f} GiB free" + ("" if writable else ", not writable"),
    )

"""What produced a run: code, data, seeds, versions, time and memory. Nothing else has clocks."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import giftlive
from giftlive.evaluation.gates import rules_hash
from giftlive.reports import translate
from giftlive.run.progress import Reporter, peak_memory_mb

PACKAGES = (
    "duckdb",
    "lightgbm",
    "numba",
    "numpy",
    "ortools",
    "plotly",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
)


@cache
def commit() -> str:
    """Return the commit of the clone that the package is part of, and "+" where it was changed.

    Empty where the package was installed without its repository, or there is no git.
    """
    root = Path(giftlive.__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    asked = (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--", "src"))
    try:
        head, changed = (
            subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + "+" * bool(changed)


@cache
def code_version() -> str:
    """Return the release and a digest of every source file of the package."""
    root = Path(giftlive.__file__).parent
    state = hashlib.blake2b(digest_size=8)
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".toml", ".sql", ".html", ".css"}:
            state.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return f"{giftlive.__version__}+{state.hexdigest()}"


def package_versions() -> dict[str, str]:
    """Return the installed version of every package a result can depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def manifest(
    command: str, seed: int, source: dict[str, Any], reporter: Reporter, created: str
) -> dict[str, Any]:
    """Return the manifest; timings and clock times live here and nowhere else."""
    return {
        "code_version": code_version(),
        "command": command,
        "commit": commit(),
        "created": created,
        "label": source.get("label", ""),
        "packages": package_versions(),
        "peak_memory_mb": peak_memory_mb(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "rules_hash": rules_hash(),
        "seed": seed,
        "source": source,
        "steps": step_rows(reporter),
    }


def step_rows(reporter: Reporter) -> list[dict[str, Any]]:
    """Return one row per step so far: name, status, seconds and, if skipped, the reason."""
    return [
        {
            "name": step.name,
            "status": step.status,
            "seconds": step.seconds,
            "reason": None if step.reason is None else translate(step.reason),
        }
        for step in reporter.steps
    ]

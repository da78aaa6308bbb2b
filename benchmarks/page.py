"""The benchmarks page: machine, one section per benchmark, cost curves, and the plan for scale."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plan import plan, wrapped
from giftlive.run.manifest import package_versions

_ABOUT = (
    "Written by `{command}`; no figure on this page is typed by hand. Speed is measured beside what"
    " it is compared with, in one run on one machine; what each benchmark compares, and why that is"
    " fair, is in `benchmarks/README.md`."
)
_QUICK = (
    "**Quick sizes.** These tables are small enough to be measured in minutes, and fixed costs"
    " weigh more in them than at full size (`giftlive bench all`). Ratios of calls that take"
    " microseconds move with the load of the machine, which stands beside each."
)
_NAME = re.compile(r"^\s*(.+?)\s{2,}")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*\.?\d*(?=x?(?:\s|$))")
_RATIO_HEAD = re.compile(
    r"(?:x (?:best|peer|numpy|full|exact|flow|plain|argmax|bare|LightGBM|native)|over [A-Za-z])"
    r"\S*(?: \S+)*"
)
"""The heading of a column of ratios: against what."""


@dataclass(frozen=True)
class Measured:
    """One benchmark as it was measured; ``code`` None: it was not run, and ``reason`` says why."""

    name: str
    title: str
    peer: str
    command: str
    printed: str = ""
    reason: str = ""
    code: int | None = None
    load: float = 0.0
    wall: float = 0.0
    processor: float = 0.0
    date: str = ""
    code_version: str = ""


def page(found: Sequence[Measured], *, quick: bool) -> str:
    """Return the page as Markdown."""
    command = "giftlive bench all" + " --quick" * quick
    lines = ["# Benchmarks", "", *wrapped(_ABOUT.format(command=command)), ""]
    if quick:
        lines += [*wrapped(_QUICK), ""]
    lines += ["## Machine", "", *_table(("", ""), machine().items()), ""]
    lines += ["## All benchmarks", "", *overview(found), ""]
    for measured in found:
        if measured.name != "curves":
            lines += section(measured)
    curves = next((m for m in found if m.name == "curves"), None)
    if curves is not None and curves.code == 0:
        lines += plan(json.loads(curves.printed), curves.command, curves.load)
    return "\n".join(lines).rstrip() + "\n"


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    packages = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    return {
        "processor": _processor_name(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": sys.version.split()[0],
        "packages": packages,
    }


def _processor_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = re.findall(r"model name\s*:\s*(.+)", info.read_text(encoding="utf-8"))
        return names[0] if names else platform.machine()
    return platform.processor() or platform.machine()


def _memory() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * size / 2**30:.0f} GiB"


def overview(found: Sequence[Measured]) -> list[str]:
    """Return one row per benchmark: against what, how large the ratio, how loaded the machine."""
    rows = [
        (
            f"[{m.name}](#{m.name})" if m.name != "curves" else "[curves](#cost-curves)",
            m.title,
            m.peer,
            headline(m),
            f"{m.processor:.0f} s" if m.code is not None else "–",
            f"{m.load:.1f}" if m.code is not None else "–",
        )
        for m in found
    ]
    return _table(("benchmark", "measured", "against", "ratio", "processor", "load before"), rows)


def headline(measured: Measured) -> str:
    """Return the ratios of the first table that has them, or why there are none.

    A ratio is the number that stands under a heading that says against what.
    """
    if measured.code is None:
        return measured.reason
    if measured.code:
        return f"failed (exit {measured.code})"
    head, ratios = None, []
    for line in measured.printed.splitlines():
        named = _RATIO_HEAD.search(line)
        if named and head:
            break
        if named:
            head = named
        elif head and (row := _under(head, line)) and float(row[1].replace(",", "")) != 1.0:
            ratios.append(row)  # but for the peer beside itself
    shown = ", ".join(f"{name} {value}" for name, value in ratios[:4])
    return f"{head.group()}: {shown}" if head and shown else "see its table"


def _under(head: re.Match[str], line: str) -> tuple[str, str] | None:
    """Return the row's name and its number that stands under the heading; None: there is none."""
    row = re.sub(r"\s*\([^()]* - [^()]*\)", "", line)  # smallest and largest of several turns
    name = _NAME.match(row)
    for number in _NUMBER.finditer(row):
        if name and number.end() > head.start() and number.start() <= head.end():
            return name.group(1), number.group()
    return None


def section(measured: Measured) -> list[str]:
    """Return the section of one benchmark: its command, what it printed, and the load."""
    lines = [f"## {measured.name}", "", f"{measured.title}, against {measured.peer}.", ""]
    lines += ["```", f"$ {measured.command}", "```", ""]
    if measured.code is None:
        return [*lines, f"Not measured: {measured.reason}.", ""]
    if measured.printed:
        printed = (line.rstrip() for line in measured.printed.splitlines())
        lines += ["```text", *printed, "```", ""]
    if measured.code:
        lines += [f"It failed with exit code {measured.code}: {measured.reason}", ""]
    told = (
        f"{measured.date}, code {measured.code_version}: {measured.processor:.1f} processor seconds"
        f" in {measured.wall:.0f} s of the wall's clock, start included; load {measured.load:.1f}"
        f" on {os.cpu_count()} cores before it began."
    )
    return [*lines, told, ""]


def _table(head: Sequence[str], rows: Mapping[str, str] | object) -> list[str]:
    cells = [head, ["---"] * len(head), *rows]  # type: ignore[misc]
    return [
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells
    ]

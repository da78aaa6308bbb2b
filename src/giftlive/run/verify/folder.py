"""What must hold of a run folder whatever its studies say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.run.digests import NAME, changes, sealed_digests
from giftlive.run.verify.outcome import Difference
from giftlive.run.verify.rows import read_json

RULES_PLACE = "manifest.json, rules_hash"
_PARTS = ("labels", "no_click", "click_only_after", "out_of_window", "before_decision")


def differences(
    folder: Path, manifest: Mapping[str, Any], rules_hash: str
) -> Iterator[tuple[str, Difference | None]]:
    """Yield every promise of the folder, with how it is broken or None."""
    printed = str(manifest.get("rules_hash"))
    yield "rules", _unequal("the rules' digest", printed, rules_hash, RULES_PLACE)
    attribution = read_json(folder / "tables" / "attribution.json")
    for what in ("count", "amount"):
        parts = sum(int(attribution[name][what]) for name in _PARTS)
        whole = int(attribution["gifts"][what])
        name = f"labels and orphan gifts by {what}"
        yield name, _unequal(name, str(parts), str(whole), "tables/attribution.json")
    rows = (manifest.get("source") or {}).get("rows") or {}
    gifts = str(attribution["gifts"]["count"])
    where = "tables/attribution.json, gifts"
    yield "gifts", _unequal("the number of gifts", gifts, str(rows.get("gift", 0)), where)
    yield from _answers(folder, manifest)
    for path in sorted((folder / "tables").glob("*.parquet")):
        yield path.name, _unfinished(path)


def _answers(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Difference | None]]:
    """Yield every results file against the step that made or skipped it."""
    steps = {step["name"]: step["status"] for step in manifest.get("steps") or ()}
    for path in sorted((folder / "results").glob("*.json")):
        said = "skipped" if read_json(path)["skipped"] else "answered"
        made = steps.get(path.stem, "not asked")
        again = "answered" if made in {"done", "cached"} else made
        yield path.name, _unequal(f"study {path.stem}", said, again, f"results/{path.name}")


def edits(folder: Path) -> Iterator[tuple[str, Difference | None]]:
    """Yield every file that the run sealed or that lies in the folder, if it is not the same."""
    if not (folder / NAME).is_file():
        wanted = "the digest of every file of the run"
        yield NAME, Difference("files", NAME, "absent", wanted, NAME)
        return
    found = {change.path: change for change in changes(folder)}
    for path in sorted(sealed_digests(folder).keys() | found.keys()):
        change = found.get(path)
        if change is None:
            yield path, None
        else:
            name = f"the digest of {path}, which {change.words},"
            yield (
                path,
                Difference("files", name, change.sealed or "none", change.found or "none", path),
            )


def _unequal(name: str, printed: str, again: str, where: str) -> Difference | None:
    return None if printed == again else Difference("run folder", name, printed, again, where)


def _unfinished(path: Path) -> Difference | None:
    """Return the first column of a kept table with a number that is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        what = str(error).splitlines()[0]
        return Difference("run folder", path.name, "kept", f"unreadable: {what}", str(path.name))
    for name in table.column_names:
        column = table.column(name)
        floating = pa.types.is_floating(column.type)
        lost = column.null_count or (floating and not np.isfinite(column.to_numpy()).all())
        if lost:
            where = f"tables/{path.name}, column {name}"
            return Difference("run folder", name, "NaN, infinite or absent", "a number", where)
    return None

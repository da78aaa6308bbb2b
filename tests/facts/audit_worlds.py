"""Worlds recorded with one defect, with none, and with all; how often the audit finds which.

``python -m tests.facts.audit_worlds --seeds 20`` prints the table of ``docs/audit.md``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from giftlive.facts import Evidence, audit
from giftlive.logs import ingest
from giftlive.world import build_world, load_scenario, write_twin

Switches = dict[str, str]
CLEAN: Switches = {
    "select_users": "false",
    "select_streamers": "false",
    "entry_stamped": "0",
    "lagged": "0",
    "orphans": "0",
    "viewing_totals": "false",
    "snapshot": "false",
    "outage_days": "[]",
    "outage_drop": "[]",
    "arrival_lag": '"none"',
    "censored_rooms": "false",
    "grid_ms": "1",
}
"""The recorder of the preset ``kuailive`` with every switch off."""
DEFAULTS: dict[str, Switches] = {
    "selected_users": {"select_users": "true"},
    "selected_streamers": {"select_streamers": "true"},
    "entry_stamping": {"entry_stamped": "0.9716"},
    "lagged_gifts": {"lagged": "0.0284"},
    "orphan_gifts": {"orphans": "0.049"},
    "viewing_totals": {"viewing_totals": "true"},
    "snapshot_columns": {"snapshot": "true"},
    "outage_days": {"outage_days": "[9, 15]", "outage_drop": "[0.6, 0.35]"},
    "censored_rooms": {"censored_rooms": "true"},
    "timestamp_grid_ms": {"grid_ms": "500"},
}
"""Finding -> the switches that plant it, as the preset has them."""
PLANTED = DEFAULTS | {
    "late_records": {"arrival_lag": '"slow"', "slow_seconds": "259200.0"},
}
"""``arrival_lag`` is off in the preset; records three days late show in a tiny world."""


def defects(recorder: Switches, scale: str = "tiny", seed: int = 1) -> set[str]:
    """Return the detectors that find a defect in one world recorded like this."""
    overrides = {f"recorder.{key}": value for key, value in recorder.items()}
    world = build_world(load_scenario("kuailive", scale, overrides), seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_twin(world, folder / "twin", truth=False, format="parquet")
        evidence = Evidence.of(ingest(folder / "twin", folder / "store"))
        try:
            return {f.detector for f in audit(evidence) if f.severity == "defect"}
        finally:
            evidence.con.close()


def counts(recorder: Switches, scale: str, seeds: range) -> Counter[str]:
    """Return by detector in how many worlds it found a defect."""
    return Counter(name for seed in seeds for name in defects(recorder, scale, seed))


def main() -> None:
    """Print one line per way of recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--scale", default="tiny")
    parser.add_argument("--only", default="", help="clean, defaults or a finding")
    asked = parser.parse_args()
    ways = {"clean": CLEAN, "defaults": {}, **{k: CLEAN | on for k, on in PLANTED.items()}}
    for name, recorder in ways.items():
        if asked.only in ("", name):
            found = counts(recorder, asked.scale, range(1, asked.seeds + 1))
            shown = ", ".join(f"{key} {n}" for key, n in sorted(found.items())) or "nothing"
            sys.stdout.write(f"{name:<20}{asked.seeds} worlds: {shown}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

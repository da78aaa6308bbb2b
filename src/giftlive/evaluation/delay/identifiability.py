"""Whether a log can show delays at all: one twin as recorded, and with its entry times off.

The same code reads both. Where gifts carry the time of the entry, the verdict of the facts is *not
identifiable*, and there is no law; where they carry their own time, the median delay is estimated
and held against the delays that the recorder wrote down beside the log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet

from giftlive.clock import MS_PER_SECOND
from giftlive.evaluation.behavioural.measure import Number
from giftlive.facts import delay_verdict
from giftlive.facts.delay_law import delay_law_section
from giftlive.facts.evidence import Evidence
from giftlive.logs.ingest import ingest
from giftlive.logs.store import Store
from giftlive.world import Scenario, build_world, write_twin

AS_RECORDED, STAMPS_OFF = "as recorded", "entry times off"
RECORDERS: Mapping[str, Mapping[str, str]] = {
    AS_RECORDED: {},
    STAMPS_OFF: {"recorder.entry_stamped": "0.0"},
}
"""Name -> overrides of the preset."""

_MEDIAN = "gift_delay_p50_s"


def read_twin(
    scenario: Scenario, seed: int, recorder: str, memory_limit: str = "2GB"
) -> Iterator[Number]:
    """Yield what one twin's log says of its delays, and what they were.

    Parameters
    ----------
    scenario : clocked, with clicks. recorder : its row in the numbers.
    """
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        folder = Path(scratch)
        write_twin(build_world(scenario, seed), folder / "logs", truth=True, format="parquet")
        store = ingest(folder / "logs", folder / "store", memory_limit=memory_limit)
        yield from told(store, folder / "logs" / "truth" / "gifts.parquet", recorder)


def told(store: Store, true_gifts: Path, recorder: str) -> Iterator[Number]:
    """Yield what a store says of the delays within its viewings, and what they were.

    Parameters
    ----------
    true_gifts : the file of the truth beside the log. recorder : the row in the numbers.
    """
    evidence = Evidence.of(store)
    verdict = delay_verdict(evidence)
    (median,) = (f for f in delay_law_section(evidence).facts if f.name == _MEDIAN)
    evidence.con.close()
    known = None if verdict.identifiable is None else float(verdict.identifiable)
    yield Number("twin", recorder, "gifts at a click", verdict.at_click)
    yield Number("twin", recorder, "identifiable", known)
    yield Number("twin", recorder, "estimated median", median.value)
    yield Number("twin", recorder, "true median", true_median(true_gifts))


def true_median(gifts: Path) -> float | None:
    """Return the median seconds from the entry to the gift, of gifts whose click was written."""
    table = pyarrow.parquet.read_table(gifts)
    entry, gift = (table[c].to_numpy() for c in ("entry_ts", "gift_ts"))
    seen = table["recorded"].to_numpy().astype(bool) & ~table["click_lost"].to_numpy().astype(bool)
    if not seen.any():
        return None
    return float(np.median((gift - entry)[seen])) / MS_PER_SECOND

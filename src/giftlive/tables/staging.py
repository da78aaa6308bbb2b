"""The relations that features are computed from, staged in the order in which they need another."""

from __future__ import annotations

from collections.abc import Iterable

from giftlive.logs.source import Source
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.ordinal import Codes, stage_codes, stage_room_category
from giftlive.tables.labels import stage_labels
from giftlive.tables.local_time import stage_local_time
from giftlive.tables.options import TableOptions
from giftlive.tables.samples import stage_samples
from giftlive.tables.sessions import stage_sessions

ROOMS_MET = ("click", "gift", "gift_anonymous")


def staged_for_samples(unit: str) -> tuple[str, ...]:
    """Return what nobody reads any more once labels are written and ``sample`` is staged."""
    return ("member", "label") if unit == "gift" else ("member", "touch", "label")


def stage_decisions(
    engine: Engine,
    source: Source,
    options: TableOptions,
    features: Iterable[Feature],
    times: Iterable[str] = (),
) -> Codes:
    """Create ``member``, ``label``, ``local_time``, ``code``, ``room_category``, ``sample``.

    Parameters
    ----------
    times : SELECTs of one column of ms that ``local_time`` must know besides all events.

    Returns
    -------
    Codes
        What the words of profile features were replaced by.
    """
    unit = options.unit_of(source)
    stage_sessions(engine, unit, options)
    stage_labels(engine, unit, options)
    stage_local_time(engine, source.tz, ["select decision_ts from member", *times])
    codes = stage_codes(engine, features)
    stage_room_category(engine, *ROOMS_MET)
    stage_samples(engine, options, source.window[1])
    return codes

"""Published text keys become dense integers by a dictionary, which is kept beside the tables.

A dictionary cannot collide, as a hash can. Numbers go by first appearance in time (then by the
key itself), so that a log with later rows keeps every number of the shorter log.
"""

from __future__ import annotations

from collections.abc import Sequence

from giftlive.logs.intake import Intake
from giftlive.logs.scan import Scan
from giftlive.logs.store import quoted

KEYS = "keys"
UNKNOWN = -1
"""The number of a key that a row does not have."""


def number_keys(intake: Intake, name: str, column: str, scans: Sequence[Scan]) -> None:
    """Give numbers to the keys in ``column`` of good rows, and write ``keys/<name>.parquet``.

    They are in the temporary table ``<name>_keys`` (key, number), too.

    Parameters
    ----------
    name : what the keys stand for; the file has the columns ``<name>_id`` and ``key``.
    scans : those with a text column ``column`` and a time ``ts``; others are passed over.
    """
    having = [s for s in scans if any(f.column.name == column for f in s.fields.values())]
    union = " UNION ALL ".join(
        f"SELECT {column} AS key, ts FROM {scan.table} "
        f"WHERE fault_reason IS NULL AND {column} IS NOT NULL"
        for scan in having
    )
    union = union or "SELECT CAST(NULL AS VARCHAR) AS key, CAST(NULL AS BIGINT) AS ts WHERE false"
    table = f"{name}_keys"
    intake.con.execute(
        f"CREATE TEMP TABLE {table} AS SELECT key, row_number() OVER (ORDER BY first_ts, key) - 1 "
        f"AS number FROM (SELECT key, min(ts) AS first_ts FROM ({union}) GROUP BY key)"
    )
    target = intake.folder / KEYS / f"{name}.parquet"
    target.parent.mkdir(exist_ok=True)
    intake.con.execute(
        f"COPY (SELECT number AS {name}_id, key FROM {table} ORDER BY number) "
        f"TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd)"
    )

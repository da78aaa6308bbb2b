"""Profile columns: one raw column of an entity, replaced by its ordinal code."""

from __future__ import annotations

from collections.abc import Iterable

from giftlive.tables.features.declare import Feature
from giftlive.tables.features.ordinal import MET, PROFILES
from giftlive.tables.features.part import Part


def raw_column(feature: Feature) -> str:
    """Return the column of the entity that a profile feature codes."""
    (column,) = feature.value.reads
    return column


def profile_part(group: str, features: Iterable[Feature], probe: str) -> Part:
    """Return the part that brings the codes of the entities that a probe names, -1 unknown.

    An entity may have many rows: the first word in order counts. Rooms are those of
    :data:`~giftlive.tables.features.ordinal.MET`.
    """
    view, key = PROFILES[group]
    view = MET if view == "room" else view
    members = tuple(features)
    raw = ", ".join(f"min(cast(v.{raw_column(f)} as string)) as {f.name}" for f in members)
    codes = ", ".join(f"code_{f.name}.code as {f.name}" for f in members)
    joins = "".join(
        f"\nleft join code code_{f.name} on code_{f.name}.feature = '{f.name}'"
        f" and code_{f.name}.value = raw.{f.name}"
        for f in members
    )
    stage = f"""select raw.{key}, {codes}
from (
  select v.{key}, {raw} from {view} v
  join (select distinct {key} from {probe}) p on p.{key} = v.{key} group by v.{key}
) raw{joins}"""
    table = f"{group}_codes"
    return Part(
        ((table, stage),),
        f"\nleft join {table} on {table}.{key} = p.{key}",
        {f.name: f"coalesce({table}.{f.name}, -1)" for f in members},
        "profile",
    )

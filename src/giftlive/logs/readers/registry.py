"""Which readers there are, and which one a folder is for."""

from __future__ import annotations

from collections.abc import Sequence

from giftlive.errors import InputError, Where
from giftlive.logs.inputs import Inputs
from giftlive.logs.readers.gdq import Gdq
from giftlive.logs.readers.kuailive import KuaiLive
from giftlive.logs.readers.reader import Reader
from giftlive.logs.readers.tables import Tables
from giftlive.logs.readers.vtuber import VTuber

READERS: dict[str, Reader] = {
    "kuailive": KuaiLive("kuailive", ".csv"),
    "parquet": KuaiLive("parquet", ".parquet"),
    "gdq": Gdq(),
    "vtuber": VTuber(),
    "tables": Tables(),
}
"""Name of a kind of source -> its reader. Of the files in one folder only one may want any."""


def reader_for(inputs: Inputs) -> Reader:
    """Return the one reader that recognises the files.

    Raises
    ------
    InputError
        Listing the files each kind needs, or the kinds whose files lie together.
    """
    claims = [reader for reader in READERS.values() if reader.recognises(inputs)]
    if len(claims) > 1:
        raise _mixed(inputs, claims)
    if claims:
        return claims[0]
    kinds = "; ".join(f"{name}: {reader.needs}" for name, reader in READERS.items())
    seen = ", ".join(sorted(inputs.files)[:5]) or "no file at all"
    raise InputError(
        f"this is none of the known sources; it holds {seen}",
        Where(inputs.shown),
        f"the files of one of them ({kinds})",
        "give the folder that holds the files themselves, not the one above it",
    )


def _mixed(inputs: Inputs, claims: Sequence[Reader]) -> InputError:
    """Return the refusal of a folder that holds files of several kinds: one would be unread."""
    kinds = "; ".join(f"{reader.kind}: {reader.needs}" for reader in claims)
    return InputError(
        f"its files belong to {len(claims)} kinds of source: "
        f"{' and '.join(reader.kind for reader in claims)}",
        Where(inputs.shown),
        f"the files of one kind only ({kinds})",
        "move the files of each source into a folder of its own",
    )

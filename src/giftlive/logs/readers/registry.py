"""Which readers there are, and which one a folder is for."""

from __future__ import annotations

from giftlive.errors import InputError, Where
from giftlive.logs.inputs import Inputs
from giftlive.logs.readers.gdq import Gdq
from giftlive.logs.readers.kuailive import KuaiLive
from giftlive.logs.readers.reader import Reader

READERS: dict[str, Reader] = {
    "kuailive": KuaiLive("kuailive", ".csv"),
    "parquet": KuaiLive("parquet", ".parquet"),
    "gdq": Gdq(),
}
"""Name of a kind of source -> its reader, in the order in which they are tried."""


def reader_for(inputs: Inputs) -> Reader:
    """Return the reader that recognises the files.

    Raises
    ------
    InputError
        Listing the files each kind needs.
    """
    for reader in READERS.values():
        if reader.recognises(inputs):
            return reader
    kinds = "; ".join(f"{name}: {reader.needs}" for name, reader in READERS.items())
    seen = ", ".join(sorted(inputs.files)[:5]) or "no file at all"
    raise InputError(
        f"this is none of the known sources; it holds {seen}",
        Where(inputs.shown),
        f"the files of one of them ({kinds})",
        "give the folder that holds the files themselves, not the one above it",
    )

"""``source.toml``: what a folder of documented tables says about itself."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

from giftlive.clock import zone
from giftlive.errors import InputError, Where
from giftlive.logs.readers.reader import About
from giftlive.logs.source import CALIBRATED_WORLD, REAL_LOGS

ABOUT_FILE = "source.toml"
OWN, ENTRY = "own", "entry"
_EXPECTED = {
    "tz": "an IANA time zone such as Asia/Shanghai",
    "unit": "a text: what one unit of amount is",
    "label": f"{REAL_LOGS!r} or {CALIBRATED_WORLD!r}",
    "gift_times": f"{OWN!r} or {ENTRY!r}",
}
_CHOICES = {"label": (REAL_LOGS, CALIBRATED_WORLD), "gift_times": (OWN, ENTRY)}


@dataclass(frozen=True)
class TableNotes:
    """The content of a ``source.toml``.

    Attributes
    ----------
    about : zone, unit and label. entry_stamped : gifts carry the time of the entry.
    """

    about: About
    entry_stamped: bool

    @staticmethod
    def read(file: Path) -> TableNotes:
        """Read and check the file.

        Raises
        ------
        InputError
            Naming the key that is missing, unknown or not what it should be.
        """
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise _broken(file, None, f"not a TOML file: {error}", 'key = "value"') from error
        for key in given:
            if key not in _EXPECTED:
                near = difflib.get_close_matches(key, _EXPECTED, n=1)
                hint = f"did you mean {near[0]}?" if near else ""
                raise _broken(file, key, "unknown key", f"the keys {', '.join(_EXPECTED)}", hint)
        values = {key: _text(file, given, key) for key in _EXPECTED}
        try:
            zone(values["tz"])
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            what = f"no such time zone ({values['tz']!r})"
            raise _broken(file, "tz", what, _EXPECTED["tz"]) from error
        about = About(values["tz"], values["unit"], values["label"])
        return TableNotes(about, values["gift_times"] == ENTRY)


def _text(file: Path, given: dict[str, object], key: str) -> str:
    if key not in given:
        raise _broken(file, key, "the key is missing", _EXPECTED[key])
    value = given[key]
    if not isinstance(value, str) or not value.strip():
        raise _broken(file, key, f"not a text ({value!r})", _EXPECTED[key])
    if value not in _CHOICES.get(key, (value,)):
        raise _broken(file, key, f"not a choice ({value!r})", _EXPECTED[key])
    return value


def _broken(file: Path, key: str | None, what: str, expected: str, hint: str = "") -> InputError:
    asked = hint or "`giftlive ingest --template DIR` writes a file with every key explained"
    return InputError(what, Where(file.name, None, key), expected, asked)

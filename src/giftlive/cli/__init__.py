"""The command line: one file per command, errors as one paragraph, exit codes by meaning.

Exit codes: 0 ok · 1 an integrity failure (a leak, conservation, identity) · 2 usage or bad
input · 3 not enough data · 130 interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from giftlive.errors import GiftLiveError

_INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with the code that the outcome means."""
    # Idle worker threads of LightGBM otherwise spin and take the other core from everybody.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # A stop is an interrupt: whatever is half-written is taken away first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from giftlive.cli.app import app

        app(prog_name="giftlive", standalone_mode=True)
    except GiftLiveError as error:
        _say(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit, RuntimeError) as ended:
        if not _is_interrupt(ended):
            raise
        _say(_interrupted())
        sys.exit(_INTERRUPTED)
    except _machine_errors() as error:
        _say(_out_of_room(error))
        sys.exit(2)


def _is_interrupt(ended: BaseException) -> bool:
    """Say whether somebody stopped the program, in each form in which that arrives here."""
    if isinstance(ended, SystemExit):  # Typer's form of it, without a word
        return ended.code == _INTERRUPTED
    return isinstance(ended, KeyboardInterrupt) or str(ended) == "Query interrupted"  # DuckDB's


def _machine_errors() -> tuple[type[Exception], ...]:
    """Return what a machine without space, memory or permission raises."""
    import duckdb

    return OSError, MemoryError, duckdb.IOException, duckdb.OutOfMemoryException


def _out_of_room(error: Exception) -> GiftLiveError:
    if isinstance(error, OSError):
        what, place = error.strerror or str(error), str(error.filename or "")
        hint = "check the path, its permissions and the free space"
        return GiftLiveError(what, place, "a path that can be read and written", hint)
    what = str(error).splitlines()[0] if str(error) else "no memory left"
    hint = "free memory and disk space, raise memory_limit, or take a smaller scale"
    return GiftLiveError(what, "", "a step that fits into this machine", hint)


def _interrupted() -> GiftLiveError:
    hint = "run the same command again; the steps of a run that were finished are kept"
    return GiftLiveError("interrupted; nothing half-written is left", "", "", hint)


def _say(error: GiftLiveError) -> None:
    as_json = "--json" in sys.argv
    text = json.dumps(error.as_dict(), ensure_ascii=False) if as_json else f"giftlive: {error}"
    print(text, file=sys.stderr)  # noqa: T201 - the one place where the program speaks of errors

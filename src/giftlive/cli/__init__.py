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
_KEEPING_STEPS = ("run", "study", "audit", "coverage")


class _Stop:
    """Remembers that somebody asked the program to stop, in whatever form that arrives later.

    An interrupt inside the compiler or a database query comes back as their own error.
    """

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: object) -> None:
        self.asked = True
        raise KeyboardInterrupt

    def explains(self, ended: BaseException) -> bool:
        """Say whether ``ended`` is the program ending because it was asked to."""
        typer_s_form = isinstance(ended, SystemExit) and ended.code == _INTERRUPTED
        return self.asked or typer_s_form or isinstance(ended, KeyboardInterrupt)


def main() -> None:
    """Run the command line and exit with the code that the outcome means."""
    # Idle worker threads of LightGBM otherwise spin and take the other core from everybody.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _obey()
    except BaseException as ended:
        if not stop.explains(ended):
            raise
        _say(_interrupted())
        sys.exit(_INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _obey() -> None:
    """Run the command; an error made on purpose, or the machine's, ends in one paragraph."""
    try:
        from giftlive.cli.app import app

        app(prog_name="giftlive", standalone_mode=True)
    except GiftLiveError as error:
        _say(error)
        sys.exit(error.exit_code)
    except _machine_errors() as error:
        _say(_out_of_room(error))
        sys.exit(2)


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
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    keeping = command in _KEEPING_STEPS or sys.argv[1:3] == ["world", "check"]
    kept = "; finished steps are kept" if keeping else ""
    kept = "; it goes on, finished parts are kept" if command == "tables" else kept
    hint = f"run the same command again{kept}"
    return GiftLiveError("interrupted; nothing half-written is left", "", "", hint)


def _say(error: GiftLiveError) -> None:
    as_json = "--json" in sys.argv
    text = json.dumps(error.as_dict(), ensure_ascii=False) if as_json else f"giftlive: {error}"
    print(text, file=sys.stderr)  # noqa: T201 - the one place where the program speaks of errors

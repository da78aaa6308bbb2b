"""The command line: one file per command, errors as one paragraph, exit codes by meaning.

Exit codes: 0 ok · 1 an integrity failure (a leak, conservation, identity) · 2 usage or bad
input · 3 not enough data · 130 interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from giftlive.errors import GiftLiveError

_INTERRUPTED = 130
_KEEPING_STEPS = ("run", "study", "audit", "coverage")
_PATIENCE_SECONDS = 10.0
"""Clearing away may take so long; a signal after it ends the program at once."""


class _Stop:
    """Remembers that somebody asked the program to stop, in whatever form that arrives later.

    An interrupt inside the compiler or a database query comes back as their own error. The first
    signal raises KeyboardInterrupt. While that clears away what was half-written, more signals
    raise nothing, or what they interrupt would stay; where the first was swallowed, the next
    raises again.
    """

    def __init__(self) -> None:
        self.asked: float | None = None

    def __call__(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self.asked is None:
            self.asked = now
        elif now - self.asked > _PATIENCE_SECONDS:
            said = _told(GiftLiveError("ended at once; parts of files may be left"))
            os.write(sys.stderr.fileno(), f"{said}\n".encode())  # a handler must not use buffers
            os._exit(_INTERRUPTED)
        elif sys.exception() is not None:
            return
        raise KeyboardInterrupt

    def explains(self, ended: BaseException) -> bool:
        """Say whether ``ended`` is the program ending because it was asked to."""
        typer_s_form = isinstance(ended, SystemExit) and ended.code == _INTERRUPTED
        asked = self.asked is not None
        return asked or typer_s_form or isinstance(ended, KeyboardInterrupt)


def main() -> None:
    """Run the command line and exit with the code that the outcome means.

    The process is over afterwards: signals are ignored from then on, since one that arrives while
    Python itself ends would print a traceback and change the exit code.
    """
    # Idle worker threads of LightGBM otherwise spin and take the other core from everybody.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    stop = _Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        _obey()
    except BaseException as ended:
        if not stop.explains(ended):
            raise
        _say(_interrupted())
        sys.exit(_INTERRUPTED)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


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
    if command == "serve":
        what = "interrupted; what was acknowledged is in the log"
        return GiftLiveError(what, "", "", "the same command goes on from there")
    hint = f"run the same command again{kept}"
    return GiftLiveError("interrupted; nothing half-written is left", "", "", hint)


def _say(error: GiftLiveError) -> None:
    print(_told(error), file=sys.stderr)  # noqa: T201 - the one place where the program speaks of errors


def _told(error: GiftLiveError) -> str:
    as_json = "--json" in sys.argv
    return json.dumps(error.as_dict(), ensure_ascii=False) if as_json else f"giftlive: {error}"

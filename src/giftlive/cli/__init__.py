"""The command line: one file per command, errors as one paragraph, exit codes by meaning.

Exit codes: 0 ok · 1 an integrity failure (a leak, conservation, identity) · 2 usage or bad
input · 3 not enough data · 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys

from giftlive.errors import GiftLiveError


def main() -> None:
    """Run the command line and exit with the code that the outcome means."""
    # Idle worker threads of LightGBM otherwise spin and take the other core from everybody.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from giftlive.cli.app import app

    as_json = "--json" in sys.argv
    try:
        app(standalone_mode=True)
    except GiftLiveError as error:
        _say(error.as_dict(), str(error), as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        text = "interrupted; finished steps are kept. Hint: run the same command to continue"
        _say({"error": "Interrupted", "what": text}, text, as_json)
        sys.exit(130)
    except OSError as error:
        text = f"{error.filename or 'a file'}: {error.strerror or error}"
        hint = "check the path, its permissions and the free space"
        _say({"error": "OSError", "what": text, "hint": hint}, f"{text}. Hint: {hint}", as_json)
        sys.exit(2)


def _say(parts: dict[str, str], paragraph: str, as_json: bool) -> None:
    text = json.dumps(parts, ensure_ascii=False) if as_json else f"giftlive: {paragraph}"
    print(text, file=sys.stderr)  # noqa: T201 - the one place where the program speaks of errors

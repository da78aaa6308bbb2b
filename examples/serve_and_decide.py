"""Serve and ask for a decision: python examples/serve_and_decide.py [FOLDER]

A new log, no value model: the service decides by popularity and says so. A platform would add
``--run RUN``. Rooms open, a user asks, enters, gives and leaves; then the service is stopped and
its log is replayed: every decision is taken again and compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from giftlive.client import Client

GIFTLIVE = [sys.executable, "-m", "giftlive"]


def start(db: str) -> tuple[subprocess.Popen[str], str]:
    """Start the service on a free port; return it and its address."""
    command = [*GIFTLIVE, "serve", "--db", db, "--port", "0", "--no-keys"]
    command += ["--set", "clock=requests"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if '"listening"' in line:
            return process, json.loads(line)["url"]
    raise SystemExit("the service did not start: pip install 'giftlive[service]'")


def main(folder: Path) -> dict[str, Any]:
    """Serve, ask, tell what happened, stop, replay; return the decision and the replay."""
    folder.mkdir(parents=True, exist_ok=True)
    db = f"sqlite:///{folder.resolve() / 'log.db'}"
    process, url = start(db)
    try:
        with Client(url) as service:
            at = 1_746_403_200_000
            rooms = [
                {"type": "room_open", "ts": at, "live_id": live, "streamer_id": live, "seats": 2}
                for live in (101, 102)
            ]
            service.send(rooms)
            answer = service.decide(42, [101, 102], ts=at + 1_000)
            shown = answer["ranking"][0]["live_id"]
            told = {"user_id": 42, "live_id": shown, "decision_id": answer["decision_id"]}
            service.send(
                [
                    {"type": "click", "ts": at + 2_000, **told},
                    {"type": "gift", "ts": at + 5_000, "amount": 52, **told},
                    {"type": "leave", "ts": at + 60_000, "watch_ms": 58_000, **told},
                ]
            )
    finally:
        process.terminate()
        process.communicate()
    replay = [*GIFTLIVE, "serve", "--db", db, "--verify"]
    verified = subprocess.run(replay, capture_output=True, text=True, check=True)
    return {"decision": answer, "replayed": json.loads(verified.stdout)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1] if len(sys.argv) > 1 else "EXAMPLE")), indent=2))

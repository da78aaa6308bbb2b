"""The studies of the run that the service was started with, as ``giftlive gates`` tells them."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LONGEST_SECONDS = 120.0
_RESULTS = "results"


@dataclass
class Boards:
    """The gate board of a run folder by language, told once for each state of the folder.

    Attributes
    ----------
    run : None: the service decides without a run.
    """

    run: Path | None
    told: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def board(self, lang: str) -> dict[str, Any] | None:
        """Return the board, None where there is no run with results."""
        if self.run is None or not (self.run / _RESULTS).is_dir():
            return None
        key = lang, (self.run / _RESULTS).stat().st_mtime_ns
        async with self.lock:
            if key not in self.told:
                found = await self._ask(lang)
                if found is None:
                    return None
                self.told[key] = found
        report = self.run / "report.html"
        size = report.stat().st_size if report.is_file() else None
        return self.told[key] | {"run": self.run.resolve().name, "report_bytes": size}

    async def _ask(self, lang: str) -> dict[str, Any] | None:
        words = (sys.executable, "-m", "giftlive", "gates", str(self.run), "--lang", lang, "--json")
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                said, _ = await process.communicate()
            found: dict[str, Any] | None = json.loads(said) if process.returncode == 0 else None
            return found
        except (TimeoutError, ValueError):
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def report(self) -> Path | None:
        """Return the report's path, None where there is none."""
        path = self.run / "report.html" if self.run is not None else None
        return path if path is not None and path.is_file() else None

"""What-if questions: each is played by a process of its own, beside the service and behind it.

The service knows no world. It starts ``giftlive allocate``, which does, behind its own work;
one question is played at a time, and the answers to the latest ones are kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from giftlive.service.console.pace import Pace

NICENESS = 5
"""Of the process that plays: decisions have three times its share of a core that both want."""

_REMEMBERED = 64
_LONGEST_SECONDS = 300.0
_LINE_BYTES = 1 << 20
_SAID = 300


class WhatIfBody(BaseModel):
    """Where the sliders stand."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    fairness: float = Field(default=0.0, ge=0.0, le=100.0)
    """Worth of one unit of the slope of the exposure's Gini index, in mean values."""
    cold_start: float = Field(default=0.0, ge=0.0, le=0.5)
    """Share of visits kept for new rooms."""
    whale_cap: int = Field(default=0, ge=0, le=20)
    """Whales per room at a time; 0: no cap."""
    exploration: float = Field(default=0.0, ge=0.0, le=0.5)
    """Share of visits served at random."""
    seed: int = Field(default=0, ge=0, le=1_000_000)


Status = Literal["running", "done", "failed", "cancelled"]


@dataclass
class Job:
    """A question and how far its answer is.

    Attributes
    ----------
    owner : who asked. done, total : rollouts. pace : of them. result : of ``giftlive allocate``.
    error : in words.
    """

    job_id: str
    owner: str
    asked: WhatIfBody
    status: Status = "running"
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    error: str = ""
    pace: Pace = field(default_factory=lambda: Pace(time.monotonic()))
    task: asyncio.Task[None] | None = None

    def plain(self) -> dict[str, Any]:
        """Return what is told of it; ``seconds_left`` is None where nothing says it."""
        left = self.pace.left(time.monotonic()) if self.status == "running" else None
        return {
            "job_id": self.job_id,
            "asked": self.asked.model_dump(),
            "status": self.status,
            "done": self.done,
            "total": self.total,
            "seconds_left": left,
            "result": self.result,
            "error": self.error,
        }


class BusyError(Exception):
    """Somebody else's question is being played."""


@dataclass
class Jobs:
    """The questions of this process, the latest of them."""

    kept: OrderedDict[str, Job] = field(default_factory=OrderedDict)
    by_question: dict[str, str] = field(default_factory=dict)

    @property
    def running(self) -> Job | None:
        """The question that is being played."""
        return next((job for job in self.kept.values() if job.status == "running"), None)

    async def ask(self, asked: WhatIfBody, policy: dict[str, Any], owner: str) -> Job:
        """Return the job of a question, played already or from now on.

        One's own older question makes way for it.

        Raises
        ------
        BusyError
            Somebody else's is being played.
        """
        question = json.dumps([asked.model_dump(), policy], sort_keys=True)
        known = self.kept.get(self.by_question.get(question, ""))
        if known is not None and known.status in ("running", "done"):
            return known
        other = self.running
        if other is not None:
            if other.owner != owner:
                raise BusyError
            await self._stop(other)
        job = Job(secrets.token_hex(8), owner, asked)
        job.pace.before = next(filter(None, (j.pace.rollout() for j in self._latest())), None)
        self.kept[job.job_id] = job
        self.by_question[question] = job.job_id
        while len(self.kept) > _REMEMBERED:
            gone, _ = self.kept.popitem(last=False)
            self.by_question = {q: j for q, j in self.by_question.items() if j != gone}
        job.task = asyncio.create_task(_play(job, policy))
        return job

    def _latest(self) -> Iterator[Job]:
        return reversed(self.kept.values())

    async def close(self) -> None:
        """End what is being played."""
        if self.running is not None:
            await self._stop(self.running)

    async def _stop(self, job: Job) -> None:
        job.status = "cancelled"
        if job.task is not None:
            job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)


def command(asked: WhatIfBody, policy: dict[str, Any]) -> list[str]:
    """Return the command that answers a question.

    Examples
    --------
    >>> command(WhatIfBody(whale_cap=2), {"name": "greedy"})[1:6]
    ['-m', 'giftlive', 'allocate', '--frontier', '--lines']
    """
    return [
        *(sys.executable, "-m", "giftlive", "allocate", "--frontier", "--lines"),
        *("--fairness", repr(asked.fairness), "--cold-start", repr(asked.cold_start)),
        *("--whale-cap", str(asked.whale_cap), "--exploration", repr(asked.exploration)),
        *("--seed", str(asked.seed), "--policy", json.dumps(policy, sort_keys=True)),
    ]


async def _play(job: Job, policy: dict[str, Any]) -> None:
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            await _hear(job, policy)
    except TimeoutError:
        job.status, job.error = "failed", f"no answer within {_LONGEST_SECONDS:.0f} s"
    except (OSError, ValueError) as error:
        job.status, job.error = "failed", type(error).__name__
    finally:
        if job.status == "running":
            job.status = "failed"


async def _hear(job: Job, policy: dict[str, Any]) -> None:
    """Start the process, listen to it line by line, and never leave it behind."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = await asyncio.create_subprocess_exec(
        *command(job.asked, policy),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        _give_way(process.pid)
        async for line in process.stdout:
            said = json.loads(line)
            job.pace.hear(said, time.monotonic())
            job.done, job.total = said.get("done", job.done), said.get("total", job.total)
            job.result = said.get("result")
        reason = (await process.stderr.read()).decode(errors="replace").strip()
        if await process.wait() == 0 and job.result is not None:
            job.status = "done"
        else:
            job.status, job.error = "failed", reason.splitlines()[-1][:_SAID] if reason else ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _give_way(pid: int) -> None:
    """Let decisions go first, where the system knows priorities."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
    except (AttributeError, OSError):
        return

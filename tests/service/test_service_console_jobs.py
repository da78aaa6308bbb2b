"""Questions played by processes: how far they are, who waits for whom, what ends them."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from giftlive.service.console import jobs as jobs_module
from giftlive.service.console.jobs import BusyError, Job, Jobs, WhatIfBody
from giftlive.service.console.pace import Pace


def _saying(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(jobs_module, "command", lambda *_: [sys.executable, "-c", program])


ENDLESS = "import time; time.sleep(60)"
QUICK = 'print(\'{"done": 1, "total": 1}\'); print(\'{"result": {"x": 1}}\')'
A, B = WhatIfBody(seed=1), WhatIfBody(seed=2)


async def _ended(job: Job) -> None:
    assert job.task is not None
    await asyncio.gather(job.task, return_exceptions=True)


def test_a_job_says_how_far_it_is_and_its_answer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _saying(monkeypatch, QUICK)

    async def run() -> None:
        jobs = Jobs()
        job = await jobs.ask(A, {}, "me")
        await _ended(job)
        assert (job.status, job.done, job.total, job.result) == ("done", 1, 1, {"x": 1})
        assert await jobs.ask(A, {}, "you") is job
        assert await jobs.ask(A, {"name": "greedy"}, "you") is not job  # another policy acts
        await jobs.close()

    asyncio.run(run())


def test_one_s_own_next_question_ends_the_last_one_and_others_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _saying(monkeypatch, ENDLESS)

    async def run() -> None:
        jobs = Jobs()
        first = await jobs.ask(A, {}, "me")
        await asyncio.sleep(0.2)
        with pytest.raises(BusyError):
            await jobs.ask(B, {}, "you")
        second = await jobs.ask(B, {}, "me")
        assert (first.status, second.status) == ("cancelled", "running")
        await jobs.close()
        assert second.status == "cancelled"
        assert jobs.running is None
        assert (await jobs.ask(A, {}, "you")) is not first  # a cancelled one is asked again
        await jobs.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import sys; sys.exit('first\\nthe reason')", "the reason"),
        ("print('not json')", "JSONDecodeError"),
        ("pass", ""),
    ],
)
def test_a_job_that_fails_says_why(
    monkeypatch: pytest.MonkeyPatch, program: str, error: str
) -> None:
    _saying(monkeypatch, program)

    async def run() -> Job:
        job = await Jobs().ask(A, {}, "me")
        await _ended(job)
        return job

    job = asyncio.run(run())
    assert (job.status, job.error, job.result) == ("failed", error, None)


def test_a_job_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    _saying(monkeypatch, ENDLESS)
    monkeypatch.setattr(jobs_module, "_LONGEST_SECONDS", 0.2)

    async def run() -> Job:
        job = await Jobs().ask(A, {}, "me")
        await _ended(job)
        return job

    job = asyncio.run(run())
    assert job.status == "failed"
    assert "no answer" in job.error


def test_only_the_latest_questions_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _saying(monkeypatch, ENDLESS)
    monkeypatch.setattr(jobs_module, "_REMEMBERED", 2)

    async def run() -> list[str]:
        jobs = Jobs()
        for seed in range(4):
            await jobs.ask(WhatIfBody(seed=seed), {}, "me")
        await jobs.close()
        assert len(jobs.by_question) == 2
        return [str(job.asked.seed) for job in jobs.kept.values()]

    assert asyncio.run(run()) == ["2", "3"]


def test_a_job_says_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """From loading for the first, from what was played for the next; nothing once it is over."""
    lines = [{"done": k, "total": 4, "worlds": 2} for k in range(5)]
    said = "".join(f"print('{json.dumps(line)}', flush=True);" for line in lines)
    result = """print('{"result": {}}')"""
    _saying(monkeypatch, f"{said}{result}")

    async def run() -> None:
        jobs = Jobs()
        first = await jobs.ask(A, {}, "me")
        assert first.plain()["seconds_left"] is None  # nothing was heard of it yet
        await _ended(first)
        assert first.pace.rollout() is not None
        assert first.plain()["seconds_left"] is None
        _saying(monkeypatch, f"print('{json.dumps(lines[0])}', flush=True);{ENDLESS}")
        second = await jobs.ask(B, {}, "me")
        assert second.pace.before == first.pace.rollout()
        second.pace.hear(lines[0], second.pace.began + 1e6)
        assert second.plain()["seconds_left"] > 9e5
        await jobs.close()

    asyncio.run(run())


def test_the_time_left_follows_the_latest_world() -> None:
    """Two worlds of two rollouts and a third: compiling counts for nothing, a slow world does."""
    pace = Pace(began=100.0)
    assert pace.left(101.0) is None
    pace.hear({"done": 0, "total": 6, "worlds": 3}, 102.0)
    assert pace.left(110.0) == 13 * 2.0 - 10.0
    assert pace.left(200.0) is None  # later than guessed: no guess
    kept = Pace(100.0)
    kept.hear({"done": 0, "total": 6, "worlds": 3, "compiled": True}, 102.0)
    assert kept.left(102.0) == pytest.approx(4.7 * 2.0 - 2.0)
    pace.hear({"done": 1}, 150.0)
    assert pace.left(150.0) is None
    pace.hear({"done": 2}, 151.0)
    assert pace.left(151.5) == 4 * 1.0 - 0.5
    for k, now in enumerate((153.0, 157.0)):
        pace.hear({"done": 3 + k}, now)
    assert pace.left(157.0) == 2 * 3.0
    assert pace.left(170.0) == 0.0
    usual = Pace(began=0.0, before=3.0, total=6, worlds=3, loaded=2.0)
    assert usual.left(4.0) == 2.0 + 6 * 3.0 - 4.0


def test_the_command_says_the_sliders_exactly() -> None:
    asked = WhatIfBody(fairness=0.1, cold_start=0.05, whale_cap=3, exploration=0.2, seed=7)
    words = jobs_module.command(asked, {"name": "greedy"})
    options = dict(zip(words[6::2], words[7::2], strict=True))
    assert float(options["--fairness"]) == 0.1
    assert float(options["--cold-start"]) == 0.05
    assert (options["--whale-cap"], options["--seed"]) == ("3", "7")
    assert json.loads(options["--policy"]) == {"name": "greedy"}

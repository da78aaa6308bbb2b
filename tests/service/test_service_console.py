"""The console without a browser: its files, its sentences, its calls, its jobs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.service import planted
from tests.service.busy_evening import Platform, hurried, now_ms, open_rooms
from tests.service.memory_store import MemoryStore
from tests.service.serving import served

from giftlive.evaluation.what_if import Knobs, Market, Position, play_position
from giftlive.rng import derive
from giftlive.service.api.app import Service, cancelled, make_app
from giftlive.service.console.assets import LANGUAGES, POLICY, assets, texts
from giftlive.service.engine import Origin, open_engine
from giftlive.service.keys import create_key

_HOLE = re.compile(r"\{\w+\}")
_HAN = re.compile(r"[一-鿿]")
SCRIPTS = {name: a.body.decode() for name, a in assets().items() if name.endswith(".js")}


@contextmanager
def _client(*, free: bool = True, run: Path | None = None) -> Iterator[httpx.Client]:
    memory, settings = MemoryStore(), hurried()
    for scope in ("decide", "ingest"):
        key, row = create_key(scope, [scope], 0)
        memory.put_key(row)
        KEYS[scope] = key
    engine = open_engine(memory, Origin(settings.decisive, planted.values()), now_ms())
    with served(make_app(Service(settings, memory, engine, open_to_all=free, run=run))) as client:
        yield client


KEYS: dict[str, str] = {}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A service in which a few things have happened."""
    with _client() as found:
        open_rooms(found)
        platform = Platform(found)
        for _ in range(20):
            platform.step()
        yield found


# --- files and sentences


def test_the_page_and_all_it_loads_are_there(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    loaded = set(re.findall(r'"/console/([\w.]+)"', page.text + "".join(SCRIPTS.values())))
    imported = {n for text in SCRIPTS.values() for n in re.findall(r'from "\./([\w.]+)"', text)}
    assert imported | {"main.js", "console.css", "icon.svg", "texts.json"} == imported | loaded
    for name in imported | loaded:
        assert client.get(f"/console/{name}").status_code == 200, name
    assert client.get("/console/routes.py").status_code == 404
    assert client.get("/console/..%2froutes.py").status_code == 404


def test_nothing_comes_from_outside_and_nothing_is_inline() -> None:
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none'")
    for name, asset in assets().items():
        text = asset.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//cdn|@import|url\(", text), name
    html = assets()["index.html"].body.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", html)
    for name, text in SCRIPTS.items():
        assert not re.search(r'innerHTML|setAttribute\("style|\beval\(|document\.write', text), name


def test_a_key_is_kept_in_the_tab_and_sent_in_a_header_only() -> None:
    text = SCRIPTS["service.js"]
    assert "sessionStorage" in text
    assert "Authorization" in text
    others = "".join(body for name, body in SCRIPTS.items() if name != "service.js")
    assert "sessionStorage" not in others
    assert not re.search(r"localStorage\.setItem\([^)]*key", "".join(SCRIPTS.values()))


def test_both_languages_say_the_same() -> None:
    en, zh = texts("en"), texts("zh")
    assert list(en) == list(zh)
    for key, sentence in en.items():
        assert sorted(_HOLE.findall(sentence)) == sorted(_HOLE.findall(zh[key])), key
    forgotten = [k for k, s in zh.items() if len(re.findall(r"[A-Za-z]{3,}", s)) >= 4]
    assert [k for k in forgotten if not _HAN.search(zh[k])] == []


def test_every_sentence_is_there_and_every_one_is_used() -> None:
    whole = "".join(SCRIPTS.values())
    named = set(re.findall(r'"((?:[a-z_]+\.)?[\w-]+)"', whole)) | set(
        re.findall(r'\bt\("([\w.-]+)"', whole)
    )
    prefixes = set(re.findall(r"`([a-z_]+)\.\$\{", whole))
    called = set(re.findall(r'\bt\("([\w.-]+)"', whole))
    assert called - set(texts("en")) == set()
    unused = {
        key for key in texts("en") if key not in named and key.partition(".")[0] not in prefixes
    }
    assert unused == set()


def test_a_number_of_things_has_a_word_for_one() -> None:
    """``{n:room|rooms}``, so that no page says `1 rooms`; Chinese needs none."""
    for key, sentence in texts("en").items():
        bare = re.findall(r"\{(?:n|all|over)\} (?:\w+ )?(\w+s)\b", sentence)
        assert set(bare) <= {"parts"}, key  # of a bin: always the same number
    assert not any("|" in sentence for sentence in texts("zh").values())


def test_every_rule_has_a_name_and_a_sentence() -> None:
    for lang in LANGUAGES:
        said = texts(lang)
        names = {key.removeprefix("rule.") for key in said if key.startswith("rule.")}
        sentences = {key.removeprefix("reason.") for key in said if key.startswith("reason.")}
        assert names == sentences - {"other"}


# --- calls


def test_numbers_are_for_those_with_a_key() -> None:
    with _client(free=False) as client:
        assert client.get("/").status_code == 200  # the page itself says nothing
        assert client.get("/console/main.js").status_code == 200
        for path in ("about", "revenue", "decisions", "studies", "report", "what-if/none"):
            _needs_a_key(client, path)
        assert client.post("/v1/console/what-if", json={}).status_code == 401


def _needs_a_key(client: httpx.Client, path: str) -> None:
    assert client.get(f"/v1/console/{path}").status_code == 401
    reads = {"Authorization": f"Bearer {KEYS['decide']}"}
    hears = {"Authorization": f"Bearer {KEYS['ingest']}"}
    assert client.get(f"/v1/console/{path}", headers=reads).status_code in (200, 404)
    private = path in ("decisions", "what-if/none")
    found = client.get(f"/v1/console/{path}", headers=hears).status_code
    assert (found == 403) == private


def test_the_latest_decisions_come_first_and_can_be_opened(client: httpx.Client) -> None:
    lines = client.get("/v1/console/decisions").json()["decisions"]
    assert len(lines) == 20
    assert [line["ts"] for line in lines] == sorted((line["ts"] for line in lines), reverse=True)
    for line in lines[:3]:
        why = client.get(f"/v1/decisions/{line['decision_id']}").json()
        first = next(c for c in why["candidates"] if c["place"] == 0)
        for name in ("live_id", "value", "price", "bonus", "score"):
            assert line["first"][name] == first[name]
        assert line["first"]["score"] == pytest.approx(
            first["value"] - first["price"] + first["bonus"]
        )
        assert (line["candidates"], line["reason"]) == (len(why["candidates"]), why["reason"])


def test_about_says_what_answers(client: httpx.Client) -> None:
    found = client.get("/v1/console/about").json()
    assert (found["decisions"], found["live_rooms"], found["target_load"]) == (20, 16, 0.75)
    points = client.get("/v1/history").json()["points"]
    assert found["history_since_ts"] == points[0]["tick_ts"]
    assert found["history_cut"] is False


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b'{"fairness": -1}', b'{"whale_cap": 1.5}', b'{"cold_start": 0.9}',
        b'{"exploration": "0.1"}', b'{"seed": -1}', b'{"other": 1}', b'{"fairness": NaN}',
    ],
)  # fmt: skip
def test_sliders_that_are_none_are_refused(client: httpx.Client, body: bytes) -> None:
    refused = client.post("/v1/console/what-if", content=body)
    assert refused.status_code == 422
    assert set(refused.json()) == {"error"}


def test_without_a_run_there_are_no_studies(client: httpx.Client) -> None:
    assert client.get("/v1/console/studies").json() == {"board": None}
    assert client.get("/v1/console/studies?lang=fr").status_code == 422
    assert client.get("/v1/console/report").status_code == 404


def test_the_report_is_a_file_to_keep(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<p>report", encoding="utf-8")
    with _client(run=tmp_path) as client:
        found = client.get("/v1/console/report")
    assert found.text == "<p>report"
    assert found.headers["content-disposition"] == 'attachment; filename="report.html"'


@pytest.mark.slow
def test_a_what_if_equals_the_evaluation_with_the_same_settings_and_seed(
    client: httpx.Client,
) -> None:
    asked = {"fairness": 1.0, "cold_start": 0.05, "whale_cap": 2, "exploration": 0.02, "seed": 3}
    job = client.post("/v1/console/what-if", json=asked)
    assert job.status_code == 202
    where = f"/v1/console/what-if/{job.json()['job_id']}"
    deadline = time.monotonic() + 400
    while (told := client.get(where).json())["status"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (told["status"], told["error"]) == ("done", "")
    assert told["done"] == told["total"] > 0
    result = told["result"]
    markets = [Market.of(derive(3, "what if", k)) for k in range(result["seeds"])]
    spec = client.get("/v1/policy").json()["spec"]
    for said, position in (
        (result["chosen"], Position(Knobs(1.0, 0.05, 2, 0.02))),
        (result["current"], Position(spec=spec)),
    ):
        point = play_position(position, markets)
        for name, found in said["measures"].items():
            mean = point.mean(name)
            assert (found["value"], found["low"], found["high"]) == (
                mean.value,
                mean.low,
                mean.high,
            )
    assert client.post("/v1/console/what-if", json=asked).json() == told  # it is remembered


def test_languages_have_their_files() -> None:
    assert LANGUAGES == ("en", "zh")
    assert texts("zh")["page.decisions"] == "决策"


def test_the_clock_ends_even_where_a_cancellation_is_lost() -> None:
    """As ``asyncio.wait_for`` of Python 3.11 loses it: the service must not hang at its end."""

    async def run() -> int:
        lost = 0

        async def clock() -> None:
            nonlocal lost
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    if lost == 2:
                        raise
                    lost += 1

        task = asyncio.create_task(clock())
        await asyncio.sleep(0)
        await asyncio.wait_for(cancelled(task), 10)
        assert task.cancelled()
        return lost

    assert asyncio.run(run()) == 2

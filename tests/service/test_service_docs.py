"""The page at ``/docs``: all of the description, true of keys, and nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.service.keyed import Keyed, keyed

from giftlive.service.api.page import page


@pytest.fixture(scope="module")
def service() -> Iterator[Keyed]:
    with keyed() as found:
        yield found


class _Read(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.links += [told[name] or "" for name in ("href", "src") if name in told]
        self.ids += [told["id"] or ""] if "id" in told else []
        assert not set(told) & {"style", "onclick", "onload"}  # the page's policy forbids them
        assert tag not in ("style", "form")
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += f"{data}\n"


def test_the_page_holds_every_call_field_and_example(service: Keyed) -> None:
    answer = service.client.get("/docs", headers={"Authorization": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    read, schema = _Read(answer.text), service.client.get("/openapi.json").json()
    assert read.open == []
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            assert f"{method.upper()} {path}" in read.words
            assert call["description"].split("`")[0].split("\n")[0] in read.words
            form = call.get("requestBody", {}).get("content", {}).get("application/json", {})
            for field in form.get("schema", {}).get("properties", {}):
                assert field in read.words
            assert read.words.count('"$URL') >= len(form.get("schema", {}).get("examples", []))
    for form in schema["components"]["schemas"].values():
        assert set(form["properties"]) - set(re.findall(r"\w+", read.words)) == set()


def test_nothing_comes_from_outside_and_every_link_leads_somewhere(service: Keyed) -> None:
    read = _Read(service.client.get("/docs").text)
    assert len(set(read.ids)) == len(read.ids)
    for link in read.links:
        assert link.startswith(("/", "#"))
        if link.startswith("#"):
            assert link[1:] in read.ids
        else:
            assert service.client.get(link).status_code == 200


def test_the_scopes_it_says_are_those_that_are_asked_for(service: Keyed) -> None:
    schema = service.client.get("/openapi.json").json()
    keys = service.keys
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            said = set(call.get("security", [{"key": keys}])[0]["key"]) | {"admin"}
            for scope, key in keys.items():
                answer = service.client.request(
                    method,
                    path.replace("{decision_id}", "none"),
                    headers={"Authorization": f"Bearer {key}"},
                )
                assert (answer.status_code == 403) == (scope not in said), (method, path, scope)


def test_what_a_description_says_is_text_and_no_markup() -> None:
    call: dict[str, Any] = {"description": "<b>`<i>`", "responses": {"200": {"description": ""}}}
    info = {"title": "", "version": "<u>", "summary": "<s>"}
    found = page({"info": info, "paths": {"/<x>": {"get": call}}})
    for mark in ("<b>", "<i>", "<u>", "<s>", "<x>"):
        assert mark not in found
    assert "&lt;b&gt;<code>&lt;i&gt;</code>" in found

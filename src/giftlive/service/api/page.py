"""The page at ``/docs``: every call of the description, for people, with nothing from outside."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

Json = Mapping[str, Any]

_LARGEST = 1e18
"""A limit as large as that is one of the machine's numbers and not worth a word."""
_NOW, _NOW_TOLD = re.compile(r'"ts": \d+'), "\"ts\": '$(date +%s)000'"
"""An event of the day the example was written would be refused as too old."""

_PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API · GiftLive</title>
<link rel="icon" href="/console/icon.svg">
<link rel="stylesheet" href="/console/console.css">
<script type="module" src="/console/theme.js"></script>
</head>
<body>
<a class="skip" href="#page">To the page</a>
<header><p class="brand"><strong>GiftLive</strong> <span>{summary}</span></p></header>
<nav aria-label="Pages"><a href="/">Console</a><a href="/docs" aria-current="page">API</a>\
<a href="/openapi.json">openapi.json</a></nav>
<main id="page" tabindex="-1">
<h1>The API</h1>
<p class="lead">JSON over HTTP, version {version}. The same as a file for machines:
<a href="/openapi.json">openapi.json</a>.</p>
<p>Keys go into a header, never into a URL: <code>Authorization: Bearer KEY</code>.
<code>giftlive keys create --scope decide --scope ingest</code> makes one; a service started with
<code>--no-keys</code> asks for none. The examples need two variables:</p>
<pre>export URL=http://127.0.0.1:8000 KEY=gl_…</pre>
<p>Every refusal has one form; <code>field</code> and <code>hint</code> may be null. After 429 and
503 the header <code>Retry-After</code> says how many seconds to wait, and the same call may be
sent again.</p>
<pre>{{"error": {{"code": "…", "message": "…", "field": "…", "hint": "…"}}}}</pre>
{contents}
{calls}
</main>
</body>
</html>
"""


def page(schema: Json) -> str:
    """Return the page of an OpenAPI description.

    Examples
    --------
    >>> about = {"title": "T", "version": "1", "summary": "a < b"}
    >>> "a &lt; b" in page({"info": about, "paths": {}})
    True
    """
    calls = [
        (method.upper(), path, call)
        for path, methods in schema["paths"].items()
        for method, call in methods.items()
    ]
    known = schema.get("components", {}).get("schemas", {})
    about = schema["info"]
    return _PAGE.format(
        summary=escape(about["summary"]),
        version=escape(about["version"]),
        contents=_contents(calls),
        calls="\n".join(_call(method, path, call, known) for method, path, call in calls),
    )


def _contents(calls: list[tuple[str, str, Json]]) -> str:
    rows = [
        (
            f'<a href="#{_anchor(method, path)}"><code>{method} {escape(path)}</code></a>',
            _scopes(call),
            _prose(call["description"].partition("\n\n")[0]),
        )
        for method, path, call in calls
    ]
    return _table(("call", "key with the scope", "does"), rows)


def _call(method: str, path: str, call: Json, known: Json) -> str:
    parts = [f'<section class="study" id="{_anchor(method, path)}">']
    parts.append(f"<h2>{method} {escape(path)}</h2>")
    parts += [f"<p>{_prose(text)}</p>" for text in call["description"].split("\n\n")]
    parts.append(f'<p class="muted">Key: {_scopes(call)}.</p>')
    parts += [f"<pre>{escape(line)}</pre>" for line in _examples(method, path, call)]
    parts += _asked(call, known)
    parts += _answered(call, known)
    return "\n".join([*parts, "</section>"])


def _asked(call: Json, known: Json) -> Iterator[str]:
    rows = [
        (
            f"<code>{escape(asked['name'])}</code>",
            _kind(asked["schema"]),
            "in the path" if asked["in"] == "path" else "in the URL",
        )
        for asked in call.get("parameters", [])
    ]
    if rows:
        yield _table(("parameter", "type", "where"), rows)
    if (form := _form(call.get("requestBody", {}))) is not None:
        yield from _forms("Body", form, known)


def _answered(call: Json, known: Json) -> Iterator[str]:
    answers = call["responses"]
    if (form := _form(answers.get("200", {}))) is not None:
        yield from _forms("Answer", form, known)
    refusals = [f"{code} {escape(found['description'])}" for code, found in answers.items()]
    told = [text for text in sorted(refusals) if not text.startswith("2")]
    if told:
        yield f'<p class="small muted">Refusals: {"; ".join(told)}.</p>'


def _forms(title: str, form: Json, known: Json) -> Iterator[str]:
    """Yield a form as a table of its fields, then the forms that it is made of."""
    name = _referred(form)
    form = known[name] if name else form
    rows = [
        (
            f"<code>{escape(key)}</code>",
            _kind(field) + ("" if key in form.get("required", ()) else ", may be left out"),
            _prose(_meaning(field)),
        )
        for key, field in form.get("properties", {}).items()
    ]
    if not rows:
        return
    said = form.get("description", "").partition("\n\n")[0]
    yield f"<h3>{escape(title)}</h3>"
    yield f"<p>{_prose(said)}</p>" if said else ""
    yield _table(("field", "type", "meaning"), rows)
    for key, field in form["properties"].items():
        if _referred(field):
            yield from _forms(f"{title} · {key}", {"$ref": _referred(field)}, known)


def _examples(method: str, path: str, call: Json) -> Iterator[str]:
    head = f"curl{'' if method in ('GET', 'POST') else f' -X {method}'}"
    if call.get("security"):
        head += ' -H "Authorization: Bearer $KEY"'
    form = _form(call.get("requestBody", {})) or {}
    for body in form.get("examples", [None]):
        data = "" if body is None else f" -d {_NOW.sub(_NOW_TOLD, shlex.quote(json.dumps(body)))}"
        yield f'{head}{data} "$URL{path}"'


def _form(message: Json) -> Json | None:
    form: Json | None = message.get("content", {}).get("application/json", {}).get("schema")
    return form


def _referred(field: Json) -> str:
    """Return the name of the form that a field, or each of its items, is; empty: none."""
    for part in (field, field.get("items", {}), *field.get("anyOf", [])):
        if "$ref" in part:
            return str(part["$ref"]).rpartition("/")[2]
    return ""


def _meaning(field: Json) -> str:
    """Return what is said of a field, or of what it is where it is not null."""
    parts = (field, *field.get("anyOf", []))
    return next((part["description"] for part in parts if "description" in part), "")


def _kind(field: Json) -> str:
    """Return in words what a field may be.

    Examples
    --------
    >>> _kind({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"type": "null"}]})
    'integer 1 to 9, or null'
    >>> _kind({"type": "array", "items": {"type": "string"}, "maxItems": 5, "default": []})
    'list of string, at most 5, usually []'
    """
    if "anyOf" in field:
        kinds = [_kind(part) for part in field["anyOf"]]
        return ", or ".join(kinds)
    if "enum" in field:
        return "one of " + ", ".join(f"<code>{escape(str(one))}</code>" for one in field["enum"])
    if "$ref" in field:
        return "object"
    kind = str(field.get("type", "anything"))
    if kind == "array":
        kind = f"list of {_kind(field.get('items', {}))}"
    usual = field.get("default")
    return (
        kind + _limits(field) + ("" if usual is None else f", usually {escape(json.dumps(usual))}")
    )


def _limits(field: Json) -> str:
    low, high = field.get("minimum"), field.get("maximum", _LARGEST)
    most = field.get("maxItems", field.get("maxLength"))
    found = f" from {low:.0f}" if low is not None and high >= _LARGEST else ""
    found += f" {low:.0f} to {high:.0f}" if low is not None and high < _LARGEST else ""
    found += f", at most {most}" if most is not None else ""
    return found + (f", <code>{escape(field['pattern'])}</code>" if "pattern" in field else "")


def _scopes(call: Json) -> str:
    if not call.get("security"):
        return "none"
    return " or ".join(f"<code>{scope}</code>" for scope in call["security"][0]["key"])


def _anchor(method: str, path: str) -> str:
    plain = path.replace("{", "").replace("}", "").strip("/").replace("/", "-")
    return f"{method.lower()}-{escape(plain)}"


def _prose(text: str) -> str:
    """Return text with what stands in backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def _table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(
            f'<td class="wide" data-label="{title}">{cell}</td>'
            for title, cell in zip(titles[1:], cells, strict=True)
        )
        + "</tr>"
        for first, *cells in rows
    )
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'

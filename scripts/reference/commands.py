"""The command reference: every command with its arguments and options, from the program itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from scripts.reference.markdown import page, plain, table

from giftlive.cli.app import app
from giftlive.cli.examples import EXAMPLES

PATH = "docs/reference/commands.md"


def render() -> str:
    """Return the page."""
    found = list(commands())
    listed = [
        f"- [`giftlive {name}`](#giftlive-{name.replace(' ', '-')}): {_summary(command)}"
        for name, command in found
    ]
    intro = (
        "Every command takes `--help`. Exit codes: 0 done, 1 a promise is broken, 2 usage or bad "
        "input, 3 not enough data, 130 interrupted ([how it works](../how-it-works.md#exit-codes))."
    )
    return page("Commands", intro, "\n".join(listed), *(_section(n, c) for n, c in found))


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command by its full name, in the order of ``giftlive --help``."""
    yield from _walk(typer.main.get_command(app), "")


def _walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, below in command.commands.items():
        full = f"{path} {name}".strip()
        if hasattr(below, "commands"):
            yield from _walk(below, full)
        else:
            yield full, below


def _summary(command: Any) -> str:
    return plain(inspect.cleandoc(command.help or "").split("\n")[0])


def _section(name: str, command: Any) -> str:
    parameters = [p for p in command.params if not p.hidden]
    words = [_word(p) for p in parameters if p.required or p.param_type_name == "argument"]
    usage = " ".join(["giftlive", name, *words, "[OPTIONS]"])
    rows = [(_names(p), _default(p), getattr(p, "help", "") or "") for p in parameters]
    return "\n\n".join(
        [
            f"## giftlive {name}",
            plain(inspect.cleandoc(command.help or "")),
            f"```text\n{usage}\n```",
            "```\n" + "\n".join(EXAMPLES[name]) + "\n```",
            table(["option", "default", "meaning"], rows) if rows else "It takes no option.",
        ]
    )


def _word(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"[{parameter.name.upper()}]" if not parameter.required else parameter.name.upper()
    return f"{parameter.opts[0]} {parameter.name.upper()}"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    names = " ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    return f"{names} (repeatable)" if parameter.multiple else names


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "required"
    if getattr(parameter, "is_flag", False):
        return "on" if value else "off"
    if value is None or value in ((), [], "") or callable(value):
        return "–"
    return f"`{value}`"

"""The command line: every command with its arguments and options, from the Typer application."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from docs.generated.markdown import code, table
from setia.cli.main import app

INTRODUCTION = """# The command line

*For whoever types.* `setia COMMAND --help` says the same. Every command works on the workspace in the present folder;
`-C DIR` names another one. Progress goes to standard error, results to standard output. The exit status is 0 when all
went well; [errors](errors.md) lists the others. `setia --version` shows the version.
"""


def page() -> str:
    """The page."""
    return "\n\n".join([INTRODUCTION.strip(), *_commands(typer.main.get_command(app), "setia")])


def _commands(group: Any, path: str) -> list[str]:
    parts = []
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        parts += _commands(command, f"{path} {name}") if below else [_command(command, f"{path} {name}")]
    return parts


def _command(command: Any, path: str) -> str:
    arguments = [item for item in command.params if _is_argument(item)]
    usage = " ".join([path, *(_usage(item) for item in arguments), "[OPTIONS]"])
    rows = [
        (
            code(_usage(item)) if _is_argument(item) else ", ".join(code(each) for each in item.opts),
            _default(item),
            item.help or "",
        )
        for item in sorted(command.params, key=_is_argument, reverse=True)
    ]
    return f"## {path}\n\n{_sentences(command)}\n\n```text\n{usage}\n```\n\n{table(('', 'default', 'meaning'), rows)}"


def _sentences(command: Any) -> str:
    return " ".join(inspect.cleandoc(command.help or "").split())


def _is_argument(item: Any) -> bool:
    return not item.opts[0].startswith("-")


def _usage(item: Any) -> str:
    name = item.metavar or item.name.upper()
    return name if item.required else f"[{name}]"


def _default(item: Any) -> str:
    if item.required:
        return "required"
    if isinstance(item.show_default, str):
        return item.show_default
    return "" if item.default in (None, False) else code(item.default)

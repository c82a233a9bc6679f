"""The errors: every class with its code, exit status and message."""

from __future__ import annotations

import importlib
import pkgutil

import setia
from docs.generated.markdown import code
from setia.kernel.errors import SetiaError

INTRODUCTION = """# Errors

*For whoever reads a message, or catches one in a program.* Every error that a person can mend is a subclass of
`setia.SetiaError`. Its `code` never changes, its message is a sentence with the facts filled in (`error.facts` holds
them), and the command line shows the message and ends with the exit status. An import or a refresh that raises has
changed nothing.

| exit status | meaning |
| --- | --- |
| 0 | done |
| 2 | what was asked, or a file or setting, cannot be used |
| 3 | the store or the installation needs attention |
| 4 | another process is at work; try again |
| 130 | stopped by hand |
"""


def all_errors() -> list[type[SetiaError]]:
    """Every subclass in the package, by code."""
    for module in pkgutil.walk_packages(setia.__path__, "setia."):
        if not module.name.startswith("setia.migrations."):  # Alembic alone can run these
            importlib.import_module(module.name)
    return sorted(_below(SetiaError), key=lambda error: error.code)


def _below(error: type[SetiaError]) -> set[type[SetiaError]]:
    own = {child for child in error.__subclasses__() if child.__module__.startswith("setia.")}
    return own.union(*(_below(child) for child in own))


def page() -> str:
    """The page."""
    parts = [INTRODUCTION.strip()]
    for error in all_errors():
        where = f"`{error.__module__}.{error.__name__}`, exit status {error.exit_code}"
        parts.append(f"## {code(error.code)}\n\n{where}\n\n> {error.template()}")
    return "\n\n".join(parts)

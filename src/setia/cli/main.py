"""The command `setia`. Heavy imports wait until a command needs them, so that `--help` answers at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from setia import __version__
from setia.cli import customers, figures, imports, people, predict, programmes, segments, shop
from setia.kernel.errors import SetiaError

app = typer.Typer(
    name="setia",
    help="Keep customers: know, predict, decide, act, prove.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"setia {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, help="Show the version.")] = False,
) -> None:
    del version


shop.add_to(app)
imports.add_to(app)
figures.add_to(app)
customers.add_to(app)
segments.add_to(app)
predict.add_to(app)
programmes.add_to(app)
people.add_to(app)


def main() -> None:
    """Run the command line: one clear sentence instead of a traceback for every error that a person can mend."""
    try:
        app()
    except SetiaError as problem:
        typer.echo(f"setia: {problem}", err=True)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        typer.echo("setia: stopped; nothing half-done was kept.", err=True)
        sys.exit(130)

"""Commands of the shop itself: init, refresh, report, sql, check, migrate, store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from setia.cli.show import AsOfOption, LangOption, ShopOption, console, csv_lines, day, opened, plain, table


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    name: Annotated[str, typer.Option(help="The shop's name.")] = "My shop",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "IDR",
    time_zone: Annotated[str, typer.Option(help="The shop's time zone.")] = "Asia/Jakarta",
    language: Annotated[str, typer.Option(help="en, id or ms.")] = "en",
) -> None:
    """Make a workspace: a folder with a setia.toml."""
    from pydantic import ValidationError

    from setia.app import init as make
    from setia.settings import FILE, BadSettings, ShopSettings

    chosen: dict[str, Any] = {"name": name, "currency": currency, "time_zone": time_zone, "language": language}
    try:
        settings = ShopSettings(**chosen)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise BadSettings(file=FILE, problem=f"{first['loc'][0]}: {first['msg']}") from problem
    make(folder, settings)
    typer.echo(f"Made {folder}. Look through {folder / FILE}, then: setia import --shop {folder} FILE")


def refresh(
    shop: ShopOption = ".",
    as_of: AsOfOption = None,
    model: Annotated[
        str | None, typer.Option(help="auto, or a candidate of `setia predict backtest`; by default the settings' own.")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Work out everybody's traits, not only of those with news.")
    ] = False,
) -> None:
    """Join who is one person; make traits, predictions and segments of every customer anew."""
    from setia.predictions.candidates import CANDIDATES

    if model not in (None, "auto", *CANDIDATES):
        raise typer.BadParameter(f"{model!r} is no model; choose auto or one of {', '.join(CANDIDATES)}")
    with opened(shop) as own:
        done = own.refresh(as_of=day(as_of), model=model, from_scratch=from_scratch)
    card = done.card
    typer.echo(f"{done.customers:,} customers as of {done.as_of}; the usual gap is {done.shop_gap_days:.0f} days.")
    if done.with_news is not None:
        typer.echo(f"{done.with_news:,} of them had news since the last refresh.")
    if card.parameters is None:
        typer.echo(f"No prediction: {card.reason}")
        return
    found = ", ".join(f"{name} {value:.4g}" for name, value in card.parameters.items())
    likely = f"; log-likelihood {card.log_likelihood:,.1f}" if card.log_likelihood is not None else ""
    typer.echo(f"Predicted by {card.model}{': ' if found else ''}{found}{likely}.")
    for name, why in card.passed_over.items():
        typer.echo(f"{name} was passed over. {why}")
    if card.dropout_identified is False:
        typer.echo("This history does not show that anybody leaves for good: chances of staying are upper limits.")
    for came in done.drift:
        changed = " Something has changed since: run setia predict backtest." if came.drifted else ""
        typer.echo(
            f"Predicted on {came.as_of} for {came.days} days: {came.expected:,.0f} purchase days "
            f"({came.low:,.0f} to {came.high:,.0f}); {came.actual:,.0f} came.{changed}"
        )


def report(
    shop: ShopOption = ".",
    lang: LangOption = None,
    as_of: AsOfOption = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Show it here instead of writing a file.")] = False,
) -> None:
    """Write the report: one HTML file that needs nothing else."""
    with opened(shop) as own:
        if terminal:
            from setia.kernel.i18n import Speaker
            from setia.report.terminal import show

            speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
            show(own.report(lang, as_of=day(as_of)), speaker, console())
            return
        typer.echo(str(own.write_report(lang, as_of=day(as_of))))


def sql(
    query: Annotated[str, typer.Argument(help="A DuckDB query over the fact tables and `traits`.")],
    shop: ShopOption = ".",
    csv: Annotated[bool, typer.Option("--csv", help="All rows as CSV instead of a table.")] = False,
) -> None:
    """Ask the present snapshot in SQL."""
    with opened(shop) as own:
        found = own.sql(query)
    if csv:
        csv_lines(found)
        return
    most = 50
    rows = [[plain(value) for value in row.values()] for row in found.slice(0, most).to_pylist()]
    table(found.column_names, rows)
    if found.num_rows > most:
        typer.echo(f"… and {found.num_rows - most:,} more; --csv gives them all.")


def check(shop: ShopOption = ".") -> None:
    """Look through configuration, store, schema and files, and print how to mend what is wrong."""
    from setia.check import look

    findings = look(Path(shop).resolve())
    table(["", "what", "found"], [["ok" if f.ok else "!!", f.what, f.found] for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(3)


def migrate(shop: ShopOption = ".") -> None:
    """Bring store and files of a workspace to this Setia's version."""
    from setia.settings import Settings
    from setia.store.database import Store

    folder = Path(shop).resolve()
    store = Store.of(folder, Settings.read(folder))
    before, needed = store.versions()
    store.migrate()
    store.close()
    typer.echo("Already up to date." if before == needed else f"From {before or 'nothing'} to {needed}.")


def _store_stop(shop: ShopOption = ".") -> None:
    """Stop the workspace's private server; the next command starts it again."""
    from setia.store.server import PrivateServer

    stopped = PrivateServer.of(Path(shop).resolve()).stop()
    typer.echo("Stopped." if stopped else "It was not running.")


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("init")(init)
    app.command("refresh")(refresh)
    app.command("report")(report)
    app.command("sql")(sql)
    app.command("check")(check)
    app.command("migrate")(migrate)
    store = typer.Typer(help="The private PostgreSQL server.", no_args_is_help=True)
    store.command("stop")(_store_stop)
    app.add_typer(store, name="store")

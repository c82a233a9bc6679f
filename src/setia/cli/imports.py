"""The command `setia import`: what was understood of the files, what it adds up to, and the question."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setia.cli.show import LangOption, ShopOption, opened, table

if TYPE_CHECKING:
    from setia.kernel.i18n import Speaker
    from setia.sources.files.bridge import Account, Bridge
    from setia.sources.files.importing import FileReport, ImportReport, Preview
    from setia.sources.files.totals import Totals


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exports, tables, or zip files of them.")],
    shop: ShopOption = ".",
    mapping: Annotated[
        Path | None, typer.Option("--map", help="A mapping file: what columns mean, where Setia is wrong.")
    ] = None,
    write_map: Annotated[
        Path | None, typer.Option("--write-map", help="Write what was understood as a mapping file; import nothing.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse the files if a single row cannot be read.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; so it is too where no terminal is.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Only show what was understood; import nothing.")] = False,
    lang: LangOption = None,
) -> None:
    """Import files, all of one command together or not at all."""
    if write_map is not None and write_map.exists():
        raise typer.BadParameter(f"{write_map} is there already; choose another name")
    from setia.kernel.i18n import Speaker
    from setia.sources.files.errors import Declined

    with opened(shop) as own:
        speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
        talk = Talk(speaker, asks=not yes and sys.stdin.isatty(), imports=not look and write_map is None)
        try:
            report = own.import_files(files, mapping=mapping, strict=strict, tell=talk.file, confirm=talk.confirm)
        except Declined:
            if talk.imports:
                raise
            if write_map is not None:
                with write_map.open("x", encoding="utf-8") as file:
                    file.write(talk.mapping())
                typer.echo(speaker("What was understood is in {file}. Nothing was imported.", file=write_map))
            return
    talk.done(report)


class Talk:
    """What an import says, in one language. `asks`: a person answers; `imports`: it is meant to be done."""

    def __init__(self, speaker: Speaker, *, asks: bool, imports: bool = True) -> None:
        self.imports = imports
        self._say = speaker
        self._asks = asks
        self._told: list[FileReport] = []

    def file(self, file: FileReport) -> None:
        """What was understood of one export, before anything is written."""
        say, own = self._say, file.understood
        self._told.append(file)
        rows = [[role, column, ", ".join(file.examples.get(role, []))[:60]] for role, column in own.columns.items()]
        table([say("what"), say("column"), say("for example")], rows, title=f"{file.name}: {own.format}")
        for note in (*file.notes, *own.notes):
            typer.echo(f"  {say.say(note)}.")
        more = [
            say("{n} rows", n=say.count(file.rows)),
            say("{n} exact duplicates, kept", n=say.count(file.duplicates)),
        ]
        if file.rejected:
            more.append(say("{n} rows that cannot be read", n=say.count(file.rejected)))
        if file.with_rejected:
            more.append(say("{n} other rows of their orders, left out with them", n=say.count(file.with_rejected)))
        if file.others:
            what = say.say(own.others or say("explanations and totals"))
            more.append(say("{n} rows left out: {what}", n=say.count(file.others), what=what))
        if file.erased:
            more.append(say("{n} rows of erased people, left out", n=say.count(file.erased)))
        typer.echo(f"  {'; '.join(more)}.\n")

    def confirm(self, preview: Preview) -> bool:
        """Show what it adds up to; whether to go on."""
        say = self._say
        for name, problem in preview.skipped:
            typer.echo(say("{name} was left out: {problem}", name=name, problem=say.error(problem)) + "\n")
        table(["", ""], totals(preview.totals, say), title=say("Together"))
        for file in preview.files:
            if file.bridge is not None:
                self.bridge(file.name, file.bridge)
        if not self.imports:
            return False
        return not self._asks or typer.confirm(say("Import this?"), default=True)

    def bridge(self, file: str, bridge: Bridge) -> None:
        """From the system's own figure to Setia's."""
        from setia.sources.files.bridge import REASONS

        say = self._say
        for account in bridge.whole:
            rows = [
                [say("{name}, as your system adds it up", name=bridge.stated), self._money(account, account.stated)]
            ]
            rows += [[say(REASONS[why]), self._money(account, amount)] for why, amount in account.steps.items()]
            rows.append([say("Net sales, as Setia counts them"), self._money(account, account.net)])
            table(["", account.currency], rows, title=say("Why the figures differ: {file}", file=file))
        months = [each for each in bridge.months if each.month is not None]
        if len(months) > 1:
            shown = [
                [say.month(m.month), self._money(m, m.stated), self._money(m, m.net - m.stated), self._money(m, m.net)]
                for m in months
            ]
            table([say("month"), bridge.stated, say("difference"), say("Net sales")], shown)
        typer.echo("")

    def _money(self, account: Account, amount: object) -> str:
        from setia.kernel.money import shown_digits

        digits = max(shown_digits(account.currency), 2 if amount != round(amount) else 0)  # type: ignore[call-overload]
        return self._say.number(amount, digits)  # type: ignore[arg-type]

    def mapping(self) -> str:
        """What was understood, as a mapping file."""
        from setia.sources.files.overrides import written

        return written(
            (
                part.table.container.name,
                file.understood.format if file.understood.joined is None else None,
                part.columns,
                file.examples,
            )
            for file in self._told
            for part in file.understood.parts.values()
        )

    def done(self, report: ImportReport) -> None:
        """What the import did."""
        say = self._say
        if report.snapshot is None:
            typer.echo(say("Nothing new: all of this was there already."))
        else:
            rows = [[n, say.count(p.rows), say.count(p.old_rows)] for n, p in report.written.items() if p.rows]
            table([say("table"), say("rows"), say("in place of")], rows)
        if report.rejects is not None:
            file = report.rejects
            typer.echo(say("Rows that cannot be read are in {file}, each with its reason.", file=file))


def totals(found: Totals, say: Speaker) -> list[list[str]]:
    """The totals as rows of a table: what it is, how much."""
    rows = []
    if found.rows.get("orders"):
        rows += [
            [say("orders"), say.count(found.orders)],
            [say("customers"), say.count(found.customers)],
            [say("order lines"), say.count(found.lines)],
        ]
    if found.returns:
        rows.append([say("returns"), say.count(found.returns)])
    rows += [
        [say("net sales, {currency}", currency=code), say.money(amount, code)]
        for code, amount in found.net_sales.items()
    ]
    if found.first_day is not None:
        rows.append([say("from – to"), f"{say.date(found.first_day)} – {say.date(found.last_day)}"])
    apart = {
        say("of them free of charge"): found.free,
        say("of them by guests who are not known"): found.guests,
        say("cancelled orders, not counted"): found.cancelled,
        say("parcels that could not be handed over, not counted"): found.undelivered,
        say("trial orders, not counted"): found.trials,
        say("orders of your own people, not counted"): found.staff,
    }
    rows += [[what, say.count(number)] for what, number in apart.items() if number]
    known = {"orders", "order_lines", "returns", "customers", "products"} if found.rows.get("orders") else set()
    rows += [[name, say.count(number)] for name, number in found.rows.items() if number and name not in known]
    return rows


def add_to(app: typer.Typer) -> None:
    """Hang the command into the command line."""
    app.command("import")(import_files)

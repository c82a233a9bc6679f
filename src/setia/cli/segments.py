"""The command of segments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setia.cli.show import LangOption, ShopOption, lines, opened, table

if TYPE_CHECKING:
    from setia.app import Shop
    from setia.segments.service import Audience


def segments(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="List its members, one a line.")] = None,
    shop: ShopOption = ".",
    condition: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="List whoever meets this condition, one a line.")
    ] = None,
    composition: Annotated[bool, typer.Option("--composition", help="Of whom NAME is made.")] = False,
    moves: Annotated[
        bool, typer.Option("--moves", help="Who entered and left NAME since the last refresh, and why.")
    ] = False,
    export: Annotated[bool, typer.Option("--export", help="Write NAME's members as CSV.")] = False,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B", help="With --export: traits, name, email, phone.")
    ] = None,
    audience: Annotated[
        str | None,
        typer.Option(metavar="PLATFORM", help="Write NAME as hashed identifiers for meta, google or tiktok."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; by default the workspace's exports/.")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Every segment with its size and movement, or one of them. Your own are files `segments/NAME.yaml`."""
    chosen = [composition, moves, export, audience is not None, condition is not None]
    if sum(chosen) > 1 or (condition is not None and name is not None):
        raise typer.BadParameter("give one of --condition, --composition, --moves, --export and --audience")
    if name is None and any(chosen[:4]):
        raise typer.BadParameter("name the segment, such as `setia segments loyal --export`")
    if columns is not None and not export:
        raise typer.BadParameter("--columns goes with --export")
    if to is not None and not (export or audience is not None):
        raise typer.BadParameter("--to goes with --export or --audience")
    with opened(shop) as own:
        if name is None and condition is None:
            _overview(own, lang)
        elif name is None or not any(chosen):
            lines(own.segments.members(name) if name is not None else own.segments.matching(condition or ""))
        elif composition:
            _composition(own, name, lang)
        elif moves:
            found = own.segments.moves(name).to_pylist()
            rows = [
                [row["moved"], row["customer_id"], "new customer" if row["is_new"] else row["because"]] for row in found
            ]
            table(["", "customer", "because"], rows)
        elif export:
            wanted = {"columns": columns.split(",")} if columns else {}
            path, count = own.segments.export(name, to, **wanted)
            typer.echo(f"{count:,} customers in {path}")
        else:
            _audience(own.segments.audience(name, audience or "", to))


def _overview(own: Shop, lang: str | None) -> None:
    from setia.kernel.i18n import Speaker

    speaker = Speaker.of(lang or "en", own.settings.shop.currency)

    def moved(sign: str, count: int | None) -> str:
        return speaker.missing if count is None else sign + speaker.count(count) if count else "0"

    rows = [
        [
            row["segment"], speaker(row["title"]), speaker.count(row["customers"]),
            speaker.missing if row["share"] is None else speaker.percent(row["share"]),
            speaker.count(row["reachable"]), speaker.money(row["net_revenue"] or 0),
            moved("+", row["entered"]), moved("−", row["left"]),
        ]
        for row in own.segments.sizes().to_pylist()
    ]  # fmt: skip
    heads = ["segment", "title", "customers", "share", "reachable", "net revenue", "entered", "left"]
    table(heads, rows, fixed=True)


def _composition(own: Shop, name: str, lang: str | None) -> None:
    from setia.kernel.i18n import Speaker

    speaker = Speaker.of(lang or "en", own.settings.shop.currency)
    rows = [
        [
            row["trait"], row["value"] or speaker.missing, speaker.count(row["customers"]),
            speaker.percent(row["share"]), speaker.percent(row["share_of_all"]),
        ]
        for row in own.segments.composition(name).to_pylist()
    ]  # fmt: skip
    table(["trait", "value", "customers", "share", "share of all"], rows, fixed=True)


def _audience(made: Audience) -> None:
    typer.echo(f"{made.listed:,} of {made.members:,} customers in {made.path}")
    for count, why in (
        (made.without_consent, "may not be written to on any channel"),
        (made.held_out, "are in the held-out group of a programme"),
        (made.without_identifier, "have no address or number there, or share it with another"),
    ):
        if count:
            typer.echo(f"Left out: {count:,} who {why}.")


def add_to(app: typer.Typer) -> None:
    """Hang this command into the command line."""
    app.command("segments")(segments)

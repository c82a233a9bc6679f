"""The command of segments."""

from __future__ import annotations

from typing import Annotated

import typer

from setia.cli.show import LangOption, ShopOption, lines, opened, table


def segments(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="List its members, one a line.")] = None,
    shop: ShopOption = ".",
    condition: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="List whoever meets this condition, one a line.")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Every segment with its size, or the members of one. Your own are files `segments/NAME.yaml`."""
    if name is not None and condition is not None:
        raise typer.BadParameter("give a segment's name or a condition, not both")
    with opened(shop) as own:
        if name is None and condition is None:
            from setia.kernel.i18n import Speaker

            speaker = Speaker.of(lang or "en", own.settings.shop.currency)
            rows = [
                [
                    row["segment"], speaker(row["title"]), speaker.count(row["customers"]),
                    speaker.missing if row["share"] is None else speaker.percent(row["share"]),
                    speaker.count(row["reachable"]), speaker.money(row["net_revenue"] or 0),
                ]
                for row in own.segments.sizes().to_pylist()
            ]  # fmt: skip
            table(["segment", "title", "customers", "share", "reachable", "net revenue"], rows, fixed=True)
            return
        found = own.segments.members(name) if name is not None else own.segments.matching(condition or "")
    lines(found)


def add_to(app: typer.Typer) -> None:
    """Hang this command into the command line."""
    app.command("segments")(segments)

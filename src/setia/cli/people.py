"""Commands about one person: erase, takeout, opt-out."""

from __future__ import annotations

from typing import Annotated

import typer

from setia.cli.show import ShopOption, opened

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's number or e-mail address.")]


def erase(
    customer: Customer,
    shop: ShopOption = ".",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a person from every fact, every snapshot, the store and the rejects. Cannot be undone."""
    if not yes:
        typer.confirm(f"Remove everything about {customer}? This cannot be undone.", abort=True)
    with opened(shop) as own:
        files = own.erase(customer)
    typer.echo(f"Removed; {files} files were written anew. An old file will not bring the person back.")


def takeout(customer: Customer, shop: ShopOption = ".") -> None:
    """Print everything that is held about a person, as JSON."""
    import json

    with opened(shop) as own:
        typer.echo(json.dumps(own.takeout(customer), default=str, ensure_ascii=False, indent=1))


def opt_out(customer: Customer, shop: ShopOption = ".") -> None:
    """Never write to a person by e-mail again."""
    with opened(shop) as own:
        own.opt_out(customer)
    typer.echo("Noted: no further e-mails.")


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("erase")(erase)
    app.command("takeout")(takeout)
    app.command("opt-out")(opt_out)

"""Commands of customers: their lives, how they move, who is one person."""

from __future__ import annotations

from typing import Annotated

import typer

from setia.cli.show import AsOfOption, LangOption, ShopOption, console, day, opened, table

Number = Annotated[int, typer.Argument(metavar="N", help="The number that `setia customers joins` gives it.")]


def show(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Key, e-mail address or telephone number.")],
    shop: ShopOption = ".",
    lang: LangOption = None,
) -> None:
    """The life of one customer: who they are, what they did, what is to be expected of them, what to do."""
    from setia.kernel.i18n import Speaker
    from setia.report.terminal import show as on_terminal

    with opened(shop) as own:
        speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
        on_terminal(own.story(customer, lang), speaker, console(), most=200)


def joins(
    shop: ShopOption = ".",
    state: Annotated[
        str | None, typer.Option(help="Only those that are joined, proposed, refused, undone or lapsed.")
    ] = None,
) -> None:
    """Which keys are one person, or may be: joined by rule where that is certain, proposed where it is not."""
    with opened(shop) as own:
        found = own.customers.joins(state)
    rows = [
        [str(row["id"]), row["state"], row["customer_id"], row["other_id"], row["evidence"], row["decided_by"],
         row["note"] or ""]
        for row in found
    ]  # fmt: skip
    table(["n", "state", "customer", "other", "evidence", "by", "note"], rows, fixed=True)


def accept(number: Number, shop: ShopOption = ".") -> None:
    """Say that a proposed pair is one person."""
    with opened(shop) as own:
        own.customers.accept(number)
    typer.echo("One person from now on. `setia refresh` brings traits and segments up to it.")


def refuse(number: Number, shop: ShopOption = ".") -> None:
    """Say that a proposed pair is two people."""
    with opened(shop) as own:
        own.customers.refuse(number)
    typer.echo("Two people, and they stay so.")


def undo(number: Number, shop: ShopOption = ".") -> None:
    """Take a join back: the two are kept apart from then on."""
    with opened(shop) as own:
        own.customers.undo(number)
    typer.echo("Two people again. `setia refresh` brings traits and segments up to it.")


def stages(
    shop: ShopOption = ".",
    as_of: AsOfOption = None,
    months: Annotated[int, typer.Option(min=1, max=36, help="How many months back.")] = 6,
) -> None:
    """How many stood in each stage at the beginnings of months, and who went where in the last whole one."""
    from setia.customers.stages import STAGES

    with opened(shop) as own:
        flow = own.customers.stage_flow(months, as_of=day(as_of))
    starts = sorted({row["month"] for row in flow.sizes})
    sizes = {(row["month"], row["stage"]): row["customers"] for row in flow.sizes}
    rows = [[stage, *(f"{sizes.get((start, stage), 0):,}" for start in starts)] for stage in STAGES]
    table(["stage", *(f"{start:%Y-%m-%d}" for start in starts)], rows, fixed=True)
    if flow.moves:
        last = max(row["month"] for row in flow.moves)
        moved = [row for row in flow.moves if row["month"] == last and row["before"] != row["after"]]
        moved.sort(key=lambda row: -row["customers"])
        typer.echo(f"\nIn {last:%B %Y}:")
        table(
            ["from", "to", "customers"],
            [[r["before"] or "new on record", r["after"], f"{r['customers']:,}"] for r in moved],
        )


def health(shop: ShopOption = ".", as_of: AsOfOption = None) -> None:
    """Weights of the health score as past endings of subscriptions teach them, to be put into setia.toml."""
    with opened(shop) as own:
        found = own.customers.learn_health(as_of=day(as_of))
    typer.echo(
        f"{found.ended:,} of {found.subscribers:,} subscribers ended within 90 days of {len(found.days)} past days."
    )
    if found.auc is not None and found.auc_as_set is not None:
        typer.echo(
            f"On the newest of them, learned on the others: AUC {found.auc:.3f}; with the weights as they are set "
            f"{found.auc_as_set:.3f}. 0.5 is chance."
        )
    typer.echo("\n[customers.health]")
    for name, weight in found.weights.items():
        typer.echo(f"{name} = {weight}")


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    own = typer.Typer(help="The customers: lives, stages, who is one person.", no_args_is_help=True)
    for command in (show, stages, joins, accept, refuse, undo, health):
        own.command(command.__name__)(command)
    app.add_typer(own, name="customers")

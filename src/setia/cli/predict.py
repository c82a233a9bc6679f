"""Commands of predictions: the back-test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from setia.cli.show import AsOfOption, LangOption, ShopOption, day, opened, table

if TYPE_CHECKING:
    from setia.kernel.i18n import Speaker


def backtest(
    shop: ShopOption = ".",
    days: Annotated[int, typer.Option(min=7, max=730, help="Days that are predicted.")] = 91,
    dates: Annotated[int, typer.Option(min=1, max=24, help="How many past days to predict from.")] = 3,
    as_of: AsOfOption = None,
    lang: LangOption = None,
) -> None:
    """Replay the shop's past: what each model and each naive rule would have predicted, and what then happened."""
    from setia.kernel.i18n import Speaker
    from setia.predictions.backtest import CANDIDATES
    from setia.predictions.backtest import backtest as replay

    with opened(shop) as own:
        speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
        with own.reading() as reader:
            found = replay(reader, own.scope(reader, day(as_of)), days, dates)
    heads = ["from", "candidate", "level", "customers", "orders", "revenue", "error", "explained", "Gini", "top tenth"]
    rows = [
        [
            f"{each.day}", speaker(CANDIDATES[each.candidate][0]), speaker.number(each.level, 2),
            speaker.count(each.customers), _signed(each.days_bias, speaker), _signed(each.revenue_bias, speaker),
            speaker.money(each.revenue_error), speaker.percent(each.explained), speaker.number(each.gini, 3),
            speaker.percent(each.top_tenth),
        ]
        for each in sorted(found.scores, key=lambda each: (each.day, -(each.explained or -1)))
    ]  # fmt: skip
    table(heads, rows)
    for name, why in found.failed.items():
        typer.echo(f"Not fitted: {speaker(CANDIDATES[name][0])}. {why}")
    level = ", its totals corrected by how it did the time before" if found.with_level else ""
    typer.echo(f"\nBest over {days} days: {speaker(CANDIDATES[found.chosen][0])}{level}.")


def _signed(share: float | None, speaker: Speaker) -> str:
    return speaker.missing if share is None else ("+" if share > 0 else "−") + speaker.percent(abs(share))


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    own = typer.Typer(help="Predictions, tested on the past.", no_args_is_help=True)
    own.command("backtest")(backtest)
    app.add_typer(own, name="predict")

"""Commands of predictions: the back-test, model cards, drift, what customers are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from setia.cli.show import AsOfOption, LangOption, ShopOption, csv_lines, day, opened, plain, table

if TYPE_CHECKING:
    from setia.kernel.i18n import Speaker
    from setia.predictions.backtest import BackTest


def backtest(
    shop: ShopOption = ".",
    days: Annotated[int, typer.Option(min=7, max=730, help="Days that are predicted.")] = 90,
    dates: Annotated[int, typer.Option(min=1, max=24, help="How many past days to predict from.")] = 3,
    as_of: AsOfOption = None,
    calibration: Annotated[bool, typer.Option("--calibration", help="Also print chances against what came.")] = False,
    lang: LangOption = None,
) -> None:
    """Replay the shop's past: what each model and each naive rule would have predicted, and what then happened."""
    from setia.kernel.i18n import Speaker
    from setia.predictions.candidates import CANDIDATES

    with opened(shop) as own:
        speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
        found = own.predictions.backtest(days=days, dates=dates, as_of=day(as_of))
    _scores(found, speaker)
    for name, why in found.failed.items():
        typer.echo(f"Not fitted: {speaker(CANDIDATES[name][0])}. {why}")
    if calibration:
        _calibration(found, speaker)
    typer.echo("\nLess explained than by the chosen one, with the interval of nine in ten bootstraps:")
    for each in found.against:
        typer.echo(
            f"  {speaker(CANDIDATES[each.candidate][0])}: {each.difference:.3f} ({each.low:.3f} to {each.high:.3f})"
        )
    corrected = {
        "none": "", "level": ", its totals corrected by how it did the time before",
        "season": ", its totals corrected by how it did at the same time a year ago",
        "both": ", its totals corrected by how it did the time before and a year ago",
    }[found.correction]  # fmt: skip
    typer.echo(f"\nChosen for {days} days: {speaker(CANDIDATES[found.chosen][0])}{corrected}.")


def _scores(found: BackTest, speaker: Speaker) -> None:
    from setia.predictions.candidates import CANDIDATES

    heads = [
        "from", "candidate", "corrected", "customers", "orders", "revenue", "error", "explained", "Gini", "top tenth",
        "AUC", "calibration", "held orders", "held revenue",
    ]  # fmt: skip
    rows = [
        [
            f"{each.day}", speaker(CANDIDATES[each.candidate][0]),
            "" if each.correction == "none" else f"{each.correction} ×{each.factor:.2f}",
            speaker.count(each.customers), _signed(each.days_bias, speaker), _signed(each.revenue_bias, speaker),
            speaker.money(each.revenue_error), speaker.percent(each.explained), speaker.number(each.gini, 3),
            speaker.percent(each.top_tenth), speaker.number(each.auc, 3), speaker.percent(each.calibration_error),
            speaker.percent(each.coverage_orders), speaker.percent(each.coverage_revenue),
        ]
        for each in sorted(found.scores, key=lambda each: (each.day, -(each.explained or -9)))
    ]  # fmt: skip
    table(heads, rows)


def _calibration(found: BackTest, speaker: Speaker) -> None:
    rows = [
        [
            f"{each['day']}", speaker.count(each["customers"]), speaker.percent(each["expected"]),
            speaker.percent(each["actual"]),
        ]
        for each in found.calibration if each["what"] == "orders"
    ]  # fmt: skip
    table(["from", "customers", "chance of an order", "did order"], rows)


def card(
    shop: ShopOption = ".",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the model card of the last refresh: data, dates, parameters, figures, limits."""
    import json

    with opened(shop) as own:
        last = own.predictions.card()
    if last is None:
        typer.echo("There is no model card yet. Run setia refresh first.")
        raise typer.Exit(1)
    as_of, found = last
    if as_json:
        typer.echo(json.dumps({"as_of": as_of.isoformat(), **found}, indent=1))
        return
    table(
        ["", f"as of {as_of}"], [[name, _told(value)] for name, value in found.items() if value not in (None, {}, [])]
    )


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_told(part) for part in value)
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def drift(shop: ShopOption = ".", as_of: AsOfOption = None) -> None:
    """Hold the last predictions against what happened since."""
    with opened(shop) as own:
        found = own.predictions.drift(as_of=day(as_of))
    if not found:
        typer.echo("No prediction is a week old yet.")
        return
    rows = [
        [
            f"{each.as_of}", each.model, f"{each.days}", f"{each.expected:,.0f}", f"{each.low:,.0f}–{each.high:,.0f}",
            f"{each.actual:,.0f}", "changed" if each.drifted else "as expected",
        ]
        for each in found
    ]  # fmt: skip
    table(["predicted on", "by", "days", "purchase days", "19 in 20", "came", ""], rows)


def value(
    until: Annotated[str, typer.Argument(help="The day up to which customers are valued, as 2027-12-31.")],
    shop: ShopOption = ".",
    margin: Annotated[float | None, typer.Option(help="Gross margin as a share; by default the shop's.")] = None,
    discount: Annotated[float | None, typer.Option(min=0, help="Discount rate a year; by default the shop's.")] = None,
    as_of: AsOfOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="All rows as CSV instead of the first ones.")] = False,
) -> None:
    """Tell what every customer is worth until a day: orders, revenue, margin discounted to today."""
    with opened(shop) as own:
        last = day(until)
        assert last is not None
        found = own.predictions.value(last, margin=margin, discount_rate=discount, as_of=day(as_of))
    found = found.sort_by([("value", "descending"), ("customer_id", "ascending")])
    if csv:
        csv_lines(found)
        return
    rows = [[plain(each) for each in row.values()] for row in found.slice(0, 20).to_pylist()]
    table(found.column_names, rows)


def drivers(
    shop: ShopOption = ".",
    window: Annotated[int, typer.Option(min=1, help="First days that are looked at.")] = 7,
    horizon: Annotated[int, typer.Option(min=7, help="Days after them in which somebody must buy again.")] = 90,
    as_of: AsOfOption = None,
    lang: LangOption = None,
) -> None:
    """What goes with staying, adjusted for the rest: behaviours, support, products, channels."""
    from setia.kernel.i18n import Speaker

    with opened(shop) as own:
        speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
        found = own.predictions.drivers(window_days=window, horizon_days=horizon, as_of=day(as_of))
    rows = [
        [
            speaker(each.title) + (f": {each.level}" if each.level else ""), speaker.count(each.customers_with),
            speaker.percent(each.stayed_with), speaker.percent(each.stayed_without),
            speaker.points(each.adjusted_difference), f"{speaker.points(each.low)} … {speaker.points(each.high)}",
            "clear" if each.significant else "",
        ]
        for each in found.rows
    ]  # fmt: skip
    table(["what", "customers", "stayed with it", "without it", "all else alike", "19 in 20", ""], rows)
    typer.echo(f"\n{speaker(found.caution)}")
    for note in found.notes:
        typer.echo(speaker(note))


def products(shop: ShopOption = ".", as_of: AsOfOption = None) -> None:
    """Judge recommendations on the last 30 days, and list who might subscribe to what."""
    with opened(shop) as own:
        judged = own.predictions.judge_recommendations(as_of=day(as_of))
        candidates = own.predictions.subscription_candidates(as_of=day(as_of)).slice(0, 20)
    rows = [
        [
            each.ranker, each.products, f"{each.customers:,}", f"{each.hit_rate_5:.1%}", f"{each.precision_5:.1%}",
            f"{each.recall_10:.1%}", f"{each.ndcg_10:.3f}", f"{each.coverage:.0%}",
        ]
        for each in judged.rows
    ]  # fmt: skip
    heads = ["ranked by", "products", "customers", "hit in 5", "of 5 bought", "found in 10", "NDCG", "catalogue"]
    table(heads, rows, title=f"Recommended on {judged.day}, bought in the {judged.horizon} days after")
    found = [[plain(each) for each in row.values()] for row in candidates.to_pylist()]
    table(candidates.column_names, found, title="Who might subscribe to what")


def _signed(share: float | None, speaker: Speaker) -> str:
    return speaker.missing if share is None else ("+" if share > 0 else "−") + speaker.percent(abs(share))


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    own = typer.Typer(help="Predictions, tested on the past.", no_args_is_help=True)
    own.command("backtest")(backtest)
    own.command("card")(card)
    own.command("drift")(drift)
    own.command("value")(value)
    own.command("drivers")(drivers)
    own.command("products")(products)
    app.add_typer(own, name="predict")

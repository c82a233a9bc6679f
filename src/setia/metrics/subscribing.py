"""Subscriptions: monthly recurring revenue, how it moves, and how much of it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.running import at_both_ends
from setia.history.sales import no_money
from setia.history.scope import Scope
from setia.history.windows import Spans, Window
from setia.kernel.i18n import N_
from setia.metrics.answer import Number, to_money
from setia.metrics.keeping import yearly_churn
from setia.metrics.measure import Measure
from setia.metrics.metric import UNPRICED, Formula, Part, Parts, share, unpriced
from setia.metrics.populations import SUBSCRIBERS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot


def recurring(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and subscriber: what they paid a month at both ends, and the one class the change belongs to."""
    rows: Any = at_both_ends(facts, scope, spans)
    nothing = no_money()
    start, end = rows.mrr_start, rows.mrr_end
    at_start, at_end = start > 0, end > 0

    def amount(condition: Any, value: Any) -> Any:
        return condition.ifelse(value, nothing).cast("decimal(38, 4)")

    return rows.select(
        "window",
        "customer_id",
        "unpriced",
        "unpriced_end",
        start=start,
        end=end,
        new=amount(~at_start & at_end & ~rows.before, end),
        reactivation=amount(~at_start & at_end & rows.before, end),
        expansion=amount(at_start & (end > start), end - start),
        contraction=amount(at_start & at_end & (end < start), start - end),
        churned=amount(at_start & ~at_end, start),
        subscribers_start=at_start,
        subscribers_end=at_end,
        subscribers_new=~at_start & at_end & ~rows.before,
        subscribers_back=~at_start & at_end & rows.before,
        subscribers_lost=at_start & ~at_end,
    )


MOVEMENT = (
    Part("start", N_("At the start"), "money"),
    Part("new", N_("New"), "money"),
    Part("expansion", N_("Expansion"), "money"),
    Part("contraction", N_("Contraction"), "money"),
    Part("churned", N_("Churned"), "money"),
    Part("reactivation", N_("Reactivation"), "money"),
    Part("end", N_("At the end"), "money"),
    Part("subscribers_start", N_("Subscribers at the start")),
    Part("subscribers_new", N_("New subscribers")),
    Part("subscribers_back", N_("Subscribers back after a pause")),
    Part("subscribers_lost", N_("Subscribers lost")),
    Part("subscribers_end", N_("Subscribers at the end")),
    UNPRICED,
    Part("unpriced_end", N_("Of those, at the end")),
)


def _over_start(amount: str) -> Any:
    def value(parts: Parts) -> float | None:
        gained, kept = parts["expansion"], parts["start"] - parts["contraction"] - parts["churned"]
        total = {"gross": kept, "net": kept + gained, "netted": kept + gained + parts["reactivation"]}[amount]
        return float(total / parts["start"]) if parts["start"] else None

    return value


def _quick_ratio(parts: Parts) -> float | None:
    lost = parts["contraction"] + parts["churned"]
    return float((parts["new"] + parts["expansion"] + parts["reactivation"]) / lost) if lost else None


def _without_reactivation(parts: Parts, _window: Window) -> dict[str, Number | None]:
    lost = parts["contraction"] + parts["churned"]
    return {"without_reactivation": float((parts["new"] + parts["expansion"]) / lost) if lost else None}


def _per_subscriber(parts: Parts, _window: Window) -> dict[str, Number | None]:
    count = parts["subscribers_end"]
    return {"per_subscriber": to_money(parts["end"] / count) if count else None}


def _with_reactivation(parts: Parts, _window: Window) -> dict[str, Number | None]:
    return {"with_reactivation": _over_start("netted")(parts)}


def _per_year(parts: Parts, window: Window) -> dict[str, Number | None]:
    start = parts["subscribers_start"]
    return {"churn_per_year": yearly_churn(parts["subscribers_lost"] / start if start else None, window)}


def _measure(name: str, title: str, formula: str, source: str, of: Formula, **more: Any) -> Measure:
    return Measure(
        name=name, title=title, formula=formula, source=source, formula_of=of, population=SUBSCRIBERS,
        needs=("subscriptions",), check="mrr", rows=recurring, parts=MOVEMENT, window_days=30, notes=unpriced, **more,
    )  # fmt: skip


MRR = _measure(
    "mrr",
    N_("Monthly recurring revenue (MRR)"),
    N_("Sum of the running prices, each brought to a month: a week × 52 ÷ 12, a year ÷ 12; trials count 0"),
    "ProfitWell; start + new + expansion + reactivation − contraction − churned = end",
    Formula(lambda parts: parts["end"] if parts["end"] or not parts["unpriced_end"] else None, "no_rate"),
    unit="money",
    better="higher",
    also=_per_subscriber,
)
GROSS_RETENTION = _measure(
    "gross_revenue_retention",
    N_("Gross revenue retention (GRR)"),
    N_("(MRR at the start − contraction − churned) ÷ MRR at the start"),
    "Sum over the start's customers of the smaller of start and end; never above 100 %",
    Formula(_over_start("gross"), "no_subscriptions"),
    unit="share",
    better="higher",
)
NET_RETENTION = _measure(
    "net_revenue_retention",
    N_("Net revenue retention (NRR)"),
    N_(
        "(MRR at the start + expansion − contraction − churned) ÷ MRR at the start; new business and reactivation are not in it"
    ),
    "Field's standard; ChartMogul nets reactivation in, which stands beside it",
    Formula(_over_start("net"), "no_subscriptions"),
    unit="share",
    better="higher",
    also=_with_reactivation,
)
LOGO_CHURN = _measure(
    "logo_churn",
    N_("Subscribers lost"),
    N_("Subscribers at the start who pay nothing at the end ÷ subscribers at the start"),
    "Customer (logo) churn; lost of the start set",
    share("subscribers_lost", "subscribers_start", "no_subscriptions"),
    unit="share",
    better="lower",
    also=_per_year,
)
QUICK_RATIO = _measure(
    "quick_ratio",
    N_("Quick ratio"),
    N_("(New + expansion + reactivation) ÷ (contraction + churned)"),
    "Field's standard; Baremetrics leaves reactivation out, which stands beside it",
    Formula(_quick_ratio, "no_loss"),
    unit="ratio",
    better="higher",
    also=_without_reactivation,
)
SUBSCRIBING = (MRR, GROSS_RETENTION, NET_RETENTION, LOGO_CHURN, QUICK_RATIO)

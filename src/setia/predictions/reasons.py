"""Why a customer may not buy again: what in their own traits lowers the learned chance most, in plain words.

Each reason stands for a group of columns that move together. The chance is asked again with the group as it is with a
customer who does buy (the median of those who bought in the window that was learned from); what it loses by the
customer's own values, in log-odds, is the reason's weight (occlusion: Zeiler and Fergus 2014; groups of features as in
Covert, Lundberg and Lee 2021, Explaining by Removing). A reason is told only where its sentence is true of the
customer. It says what the model goes by, not what causes what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.kernel.i18n import N_
from setia.predictions.boosted import Boosted
from setia.predictions.features import numbers
from setia.predictions.models.purchases import FloatArray

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 3
COLUMNS = ("risk_reason", *(f"risk_reason_{n}" for n in range(2, MOST + 1)))
"""The traits that name a customer's reasons, weightiest first."""
LEAST_WEIGHT = 0.15
"""Of log-odds that a reason must take away: some three to four points in a hundred around even chances."""
ROWS = 100_000
"""Customers asked at a time."""
Traits = Mapping[str, FloatArray]


@dataclass(frozen=True)
class Reason:
    """A group of columns and the sentence that tells it."""

    name: str
    title: str
    """A few English words, translated where they are shown."""
    columns: tuple[str, ...]
    """Columns of learned models that belong to it."""
    holds: Callable[[Traits], Any]
    """For whom the sentence is true, from the traits that it names."""
    sentence: str
    """An English sentence over traits, translated where it is shown."""
    traits: tuple[str, ...]


REASONS: dict[str, Reason] = {
    reason.name: reason
    for reason in (
        Reason(
            "silence",
            N_("Silent for longer than usual"),
            ("silence", "gaps_silent", "days_since_last_order", "gaps_of_silence", "recency"),
            lambda t: t["gaps_of_silence"] > 1,
            N_("Silent for {days_since_last_order} days; usually buys again after {usual_gap_days}"),
            ("days_since_last_order", "usual_gap_days", "gaps_of_silence"),
        ),
        Reason(
            "visits",
            N_("Fewer visits"),
            ("visits_7d", "visits_30d", "visits_90d", "visits_30d_before", "days_since_last_visit", "visit_trend"),
            lambda t: t["visits_30d"] < t["visits_30d_before"],
            N_("Visits fell from {visits_30d_before} to {visits_30d} a month"),
            ("visits_30d", "visits_30d_before"),
        ),
        Reason(
            "slower",
            N_("Longer gaps between orders"),
            ("last_gap", "gap_before_last", "mean_gap", "mean_log_gap", "usual_gap_days", "gap_spread"),
            lambda t: t["last_gap"] > t["usual_gap_days"],
            N_("The last order came after {last_gap} days; usually it is {usual_gap_days}"),
            ("last_gap", "usual_gap_days"),
        ),
        Reason(
            "recommendation",
            N_("Would not recommend the shop"),
            ("last_nps", "days_since_nps"),
            lambda t: t["last_nps"] <= 6,
            N_("The last answer on recommending the shop was a {last_nps} of 10"),
            ("last_nps",),
        ),
        Reason(
            "satisfaction",
            N_("Not satisfied"),
            ("last_csat", "last_csat_of", "days_since_csat"),
            lambda t: t["last_csat"] * 2 <= t["last_csat_of"] + 1,
            N_("The last answer on satisfaction was a {last_csat} of {last_csat_of}"),
            ("last_csat", "last_csat_of"),
        ),
        Reason(
            "cases",
            N_("Questions and complaints"),
            ("cases_90d", "open_cases"),
            lambda t: t["cases_90d"] > 0,
            N_("Questions and complaints in 90 days: {cases_90d}"),
            ("cases_90d",),
        ),
        Reason(
            "returns",
            N_("Goods sent back"),
            ("returns", "returned_revenue", "returned_share"),
            lambda t: t["returns"] > 0,
            N_("Goods sent back: {returns}"),
            ("returns",),
        ),
        Reason(
            "messages",
            N_("Messages left unopened"),
            ("messages_90d", "opened_90d", "clicked_90d", "days_since_last_message"),
            lambda t: (t["messages_90d"] > 0) & (t["opened_90d"] * 2 < t["messages_90d"]),
            N_("Opened {opened_90d} of {messages_90d} messages in 90 days"),
            ("messages_90d", "opened_90d"),
        ),
        Reason(
            "payments",
            N_("Payments that failed"),
            ("payment_failures_90d",),
            lambda t: t["payment_failures_90d"] > 0,
            N_("Payments that failed in 90 days: {payment_failures_90d}"),
            ("payment_failures_90d",),
        ),
        Reason(
            "few_orders",
            N_("Only one or two orders so far"),
            ("repeat_purchase_days", "orders", "purchase_days", "orders_90d", "orders_365d", "recent_days"),
            lambda t: t["purchase_days"] <= 2,
            N_("Days with an order so far: {purchase_days}"),
            ("purchase_days",),
        ),
        Reason(
            "vouchers",
            N_("Buys with vouchers"),
            ("voucher_share", "orders_with_voucher", "discounts"),
            lambda t: t["voucher_share"] > 0.5,
            N_("Buys with vouchers: {orders_with_voucher} of {orders} orders"),
            ("voucher_share", "orders_with_voucher", "orders"),
        ),
    )
}


def reasons(model: Boosted | None, traits: pa.Table) -> dict[str, list[str | None]]:
    """The names of each customer's weightiest reasons, as `COLUMNS`; None where there are no more.

    `traits` has the customers of the model, in its order. Without a model the reasons that are true of a customer stand
    in the order of `REASONS`.
    """
    true = np.column_stack([_true(reason, traits) for reason in REASONS.values()])
    in_order = np.tile(np.arange(len(REASONS), 0, -1.0), (len(true), 1))
    weights = in_order if model is None else _weights(model)
    weights = np.where(true, weights, 0.0)
    order = np.argsort(-weights, axis=1, kind="stable")[:, :MOST]
    names = np.array([*REASONS, None], dtype=object)
    told = np.take_along_axis(weights, order, axis=1) >= LEAST_WEIGHT
    chosen = names[np.where(told, order, len(REASONS))]
    return {name: column.tolist() for name, column in zip(COLUMNS, chosen.T, strict=True)}


def _true(reason: Reason, traits: pa.Table) -> Any:
    nobody = np.zeros(traits.num_rows, dtype=bool)
    if not set(reason.traits) <= set(traits.column_names):
        return nobody
    known = {name: numbers(traits, name) for name in reason.traits}
    with np.errstate(invalid="ignore"):
        return np.asarray(reason.holds(known)) & np.all([np.isfinite(v) for v in known.values()], axis=0)


def _weights(model: Boosted) -> FloatArray:
    """What each reason takes away from each customer's log-odds of an order within a window; below 0 it adds."""
    chances, names, known = model.chances, list(model.columns.names), model.columns.matrix(model.now)
    found = np.zeros((len(known), len(REASONS)))
    for start in range(0, len(known), ROWS):
        rows = slice(start, start + ROWS)
        own = chances.log_odds(known[rows])
        for number, reason in enumerate(REASONS.values()):
            columns = [names.index(name) for name in reason.columns if name in names]
            if not columns:
                continue
            otherwise = known[rows].copy()
            otherwise[:, columns] = model.typical[columns]
            found[rows, number] = chances.log_odds(otherwise) - own
    return found

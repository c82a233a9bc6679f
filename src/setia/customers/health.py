"""The health of a subscription: usage, support, answers and payments, each from 0 to 1, weighed into one score.

What is not known of a subscriber is left out, and the other weights count for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.customers.trait import Trait
from setia.history.scope import Scope
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    import ibis.expr.types as ir

ANSWER_HOLDS_DAYS = 365
PER_CASE = 0.25
PER_FAILURE = 0.5
SMALL_LOSS = 0.02
"""A part that costs no more than this is no reason."""

_NEEDS = (
    "subscription", "visits_30d", "visits_30d_before", "days_since_last_visit", "cases_90d", "open_cases",
    "last_nps", "days_since_nps", "last_csat", "last_csat_of", "days_since_csat", "payment_failures_90d",
)  # fmt: skip
PARTS = ("usage", "support", "answers", "payments")
HEALTH = (
    Trait("health_usage", "share", N_("Subscribers: visits of 30 days ÷ those before, 1 at most"), needs=_NEEDS),
    Trait("health_support", "share", N_("Subscribers: 1 less a quarter for each case and each open one"), needs=_NEEDS),
    Trait("health_answers", "share", N_("Subscribers: latest answers of a year ÷ the best possible"), needs=_NEEDS),
    Trait("health_payments", "share", N_("Subscribers: 1 less a half for each failed payment"), needs=_NEEDS),
    Trait("health", "integer", N_("Health of the subscription, 0 to 100, by the weights in setia.toml"), needs=_NEEDS),
    Trait(
        "health_reason", "text", N_("What costs the health most: usage, support, answers or payments"), needs=_NEEDS
    ),
)  # fmt: skip


def with_health(traits: ir.Table, scope: Scope) -> ir.Table:
    """The rows with the four parts, `health` and `health_reason`; null for those without a running subscription."""
    import ibis

    rows: Any = traits
    runs = rows.subscription == "running"
    parts: Any = rows.mutate(
        **{f"health_{name}": runs.ifelse(value, None) for name, value in _parts(rows).items()},
    )
    weights = {name: float(getattr(scope.rules.health, name)) for name in PARTS}
    known = {name: parts[f"health_{name}"] for name in PARTS}
    counted = [known[name].notnull().ifelse(weights[name], 0.0) for name in PARTS]
    whole = sum(counted[1:], counted[0])
    losses = {name: (weights[name] * (1.0 - known[name])).fill_null(0.0) / whole.nullif(0.0) for name in PARTS}
    parts = parts.mutate(**{f"loss_{name}": loss for name, loss in losses.items()})
    lost = [parts[f"loss_{name}"] for name in PARTS]
    worst = ibis.greatest(*lost)
    judged = parts.mutate(
        health=(100 * (1.0 - sum(lost[1:], lost[0]))).round().cast("int64"),
        health_reason=ibis.cases(
            (worst.isnull() | (worst <= SMALL_LOSS), None),
            *((loss == worst, name) for name, loss in zip(PARTS, lost, strict=True)),
            else_=ibis.null("string"),
        ),
    )
    return judged.drop(*(f"loss_{name}" for name in PARTS))


def _parts(rows: Any) -> dict[str, Any]:
    import ibis

    before = ibis.greatest(rows.visits_30d_before, 1).cast("float64")
    recommends = (rows.days_since_nps < ANSWER_HOLDS_DAYS).ifelse(rows.last_nps.cast("float64") / 10.0, None)
    satisfied = (rows.days_since_csat < ANSWER_HOLDS_DAYS).ifelse(
        rows.last_csat.cast("float64") / ibis.greatest(rows.last_csat_of, rows.last_csat).cast("float64"), None
    )
    satisfied = rows.last_csat_of.notnull().ifelse(satisfied, None)
    said = recommends.notnull().cast("int64") + satisfied.notnull().cast("int64")
    cases = (rows.cases_90d + rows.open_cases).cast("float64")
    return {
        "usage": rows.days_since_last_visit.notnull().ifelse(
            ibis.least(rows.visits_30d.cast("float64") / before, 1.0), None
        ),
        "support": ibis.greatest(1.0 - PER_CASE * cases, 0.0),
        # No engine's smallest of two minds that one of them is not known, so what has to stay null stands alone.
        "answers": (recommends.fill_null(0.0) + satisfied.fill_null(0.0)) / said.nullif(0).cast("float64"),
        "payments": ibis.greatest(1.0 - PER_FAILURE * rows.payment_failures_90d.cast("float64"), 0.0),
    }

"""The first predictions of every customer: still active, next orders, their value. Fit, scored, and a card kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from setia.predictions.bg_nbd import BGNBD
from setia.predictions.gamma_gamma import GammaGamma
from setia.predictions.mbg_nbd import MBGNBD
from setia.predictions.purchases import NoConvergence, TooFewCustomers

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SCORES = (
    "chance_active", "chance_of_order_90d", "expected_orders_90d", "expected_orders_365d",
    "expected_order_value", "expected_value_365d",
)  # fmt: skip
ModelName = Literal["mbg_nbd", "bg_nbd"]
MODELS: dict[ModelName, type[BGNBD]] = {"mbg_nbd": MBGNBD, "bg_nbd": BGNBD}


@dataclass(frozen=True, slots=True)
class Card:
    """What a fit rests on and what it found; None where there was too little to fit, with `reason`."""

    model: str
    customers: int
    repeat_customers: int
    parameters: dict[str, float] | None = None
    standard_errors: dict[str, float] | None = None
    log_likelihood: float | None = None
    dropout_identified: bool | None = None
    value_parameters: dict[str, float] | None = None
    reason: str | None = None


def predict(connection: duckdb.DuckDBPyConnection, traits: str, model: ModelName = "mbg_nbd") -> Card:
    """Make the temporary table `predicted` (`customer_id` and `SCORES`, all with an order) and return the fit's card.

    `traits` names a table with `purchase_days`, `recency`, `days_since_first_order` (days), `repeat_value` and
    `gross_revenue` (money). Customers of equal history are fitted and scored once. Where there is too little to
    fit, the scores are null and the card says why.
    """
    # In one order, so that the same customers give the same fit to the last digit.
    grouped = connection.sql(
        f"select purchase_days - 1 as frequency, recency, days_since_first_order as age, count(*) as weight "
        f"from {traits} where purchase_days > 0 group by all order by all"
    ).to_arrow_table()
    history = {name: grouped[name].to_numpy().astype(float) for name in grouped.column_names}
    customers, repeaters = int(history["weight"].sum()), int(history["weight"][history["frequency"] > 0].sum())
    try:
        fitted = MODELS[model]().fit(history["frequency"], history["recency"], history["age"], history["weight"])
    except (TooFewCustomers, NoConvergence) as problem:
        nothing = ", ".join(f"null::double as {name}" for name in SCORES)
        connection.execute(
            f"create or replace temp table predicted as select customer_id, {nothing} from {traits} "
            "where purchase_days > 0"
        )
        return Card(model, customers, repeaters, reason=str(problem))
    values, value_model = _order_values(connection, traits)
    _join(connection, traits, _scored(grouped, history, fitted), values)
    return Card(
        model,
        customers,
        repeaters,
        asdict(fitted.params_),
        asdict(fitted.standard_errors_) if fitted.standard_errors_ is not None else None,
        float(fitted.log_likelihood_),
        bool(fitted.dropout_identified_),
        asdict(value_model.params_) if value_model else None,
    )


def _scored(grouped: pa.Table, history: dict[str, Any], fitted: BGNBD) -> pa.Table:
    x, recency, age = history["frequency"], history["recency"], history["age"]
    scores = {
        "chance_active": fitted.probability_alive(x, recency, age),
        "chance_of_order_90d": 1 - fitted.probability_of_no_purchase(90.0, x, recency, age),
        "expected_orders_90d": fitted.expected_purchases(90.0, x, recency, age),
        "expected_orders_365d": fitted.expected_purchases(365.0, x, recency, age),
    }
    for name, values in scores.items():
        grouped = grouped.append_column(name, [values])
    return grouped


def _order_values(connection: duckdb.DuckDBPyConnection, traits: str) -> tuple[pa.Table, GammaGamma | None]:
    """Expected value of the next orders per customer; where there is nothing to fit, the shop's mean."""
    import numpy as np

    found = connection.sql(
        "select customer_id, (purchase_days - 1)::double as frequency, "
        "greatest(coalesce(repeat_value::double, 0), 0) as value, gross_revenue::double / purchase_days as per_day "
        f"from {traits} where purchase_days > 0 order by all"
    ).to_arrow_table()
    frequency, value = found["frequency"].to_numpy(), found["value"].to_numpy()
    model: GammaGamma | None = None
    try:
        model = GammaGamma().fit(frequency, value)
        expected = model.expected_average_value(frequency, value)
    except (TooFewCustomers, NoConvergence):
        expected = np.array([np.nan])
    if not np.all(np.isfinite(expected)):
        model, expected = None, np.full(len(frequency), max(float(found["per_day"].to_numpy().mean()), 0.0))
    return found.select(["customer_id"]).append_column("expected_order_value", [expected]), model


def _join(connection: duckdb.DuckDBPyConnection, traits: str, scored: pa.Table, values: pa.Table) -> None:
    connection.register("setia_scored", scored)
    connection.register("setia_valued", values)
    connection.execute(
        "create or replace temp table predicted as select customer_id, chance_active, chance_of_order_90d, "
        "expected_orders_90d, expected_orders_365d, expected_order_value, "
        f"expected_orders_365d * expected_order_value as expected_value_365d from {traits} t "
        "join setia_scored s on s.frequency = t.purchase_days - 1 and s.recency = t.recency "
        "and s.age = t.days_since_first_order join setia_valued using (customer_id)"
    )
    connection.unregister("setia_scored")
    connection.unregister("setia_valued")

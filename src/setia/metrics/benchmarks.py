"""What is usual elsewhere: ranges from the field, to be shown beside a shop's own figure and never instead of it.

Only shares that mean the same in every shop are here. A scale (NPS from −100 to 100) is no benchmark, and an order
value in dollars is none for a shop in rupiah.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from setia.kernel.i18n import N_
from setia.metrics.catalogue import metric

Place = Literal["below", "within", "above"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The usual range of a metric, both ends included, for the options that it holds for."""

    metric: str
    low: float
    high: float
    source: str
    caution: str
    options: dict[str, Any] = field(default_factory=dict)

    def place(self, value: float) -> Place:
        """Where a value lies."""
        return "below" if value < self.low else "above" if value > self.high else "within"


OWN = N_("set by the shop in setia.toml")
_ALL = (
    Benchmark(
        "retention",
        0.70,
        0.90,
        N_("often quoted for a year"),
        N_("Trades differ widely: coffee is bought again within weeks, sofas within years."),
        {"window_days": 365},
    ),
    Benchmark(
        "logo_churn",
        0.01,
        0.05,
        N_("often quoted for a month of a subscription"),
        N_("Holds for subscriptions; a customer without a contract has not left after one month without an order."),
        {"window_days": 30},
    ),
    Benchmark(
        "repeat_purchase",
        0.20,
        0.50,
        N_("often quoted for online shops"),
        N_("The rate rises with the length of the window: compare it over a year only."),
        {"window_days": 365},
    ),
    Benchmark(
        "csat",
        0.70,
        0.80,
        N_("often quoted: above 80% is very good, below 70% calls for work"),
        N_("Whoever answers is not everybody: look at the response rate."),
    ),
)


def benchmarks(own: Mapping[str, tuple[float, float]]) -> dict[str, Benchmark]:
    """Every benchmark by its metric, the shop's own ranges in place of the field's. Raises UnknownMetric."""
    found = {each.metric: each for each in _ALL}
    for name, (low, high) in own.items():
        known = found.get(metric(name).name) or Benchmark(name, low, high, OWN, "")
        found[name] = replace(known, low=low, high=high, source=OWN)
    return found

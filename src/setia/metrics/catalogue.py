"""Every metric, declared once. The reference page and `setia metrics --list` are made from this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from setia.kernel.i18n import N_


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration of one metric. Sentences are English and translated where they are shown."""

    name: str
    title: str
    formula: str
    unit: Literal["share", "money", "days", "orders"]
    population: str
    better: Literal["higher", "lower", "neither"]
    source: str


PEOPLE = N_("Customers with at least one order; anonymous guests, trial orders and cancelled orders are left out")
_ALL = (
    Metric(
        "retention",
        N_("Customer retention rate"),
        N_("Customers who bought in the period before and again in this one ÷ those who bought in the period before"),
        "share",
        PEOPLE,
        "higher",
        "Set-based form of (E−N)/S: Farris, Bendle, Pfeifer, Reibstein, Marketing Metrics",
    ),
    Metric(
        "churn",
        N_("Churn rate"),
        N_("Customers who bought in the period before and not in this one ÷ those who bought in the period before"),
        "share",
        PEOPLE,
        "lower",
        "Complement of the set-based retention rate",
    ),
    Metric(
        "repeat_purchase",
        N_("Repeat purchase rate"),
        N_("Customers with two orders or more in the window ÷ customers with one or more in the window"),
        "share",
        PEOPLE,
        "higher",
        "Field's standard; windows of different length are never compared",
    ),
    Metric(
        "order_value",
        N_("Average order value (AOV)"),
        N_("Net sales of the window's orders, returns deducted ÷ orders of the window"),
        "money",
        N_("All orders but trial and cancelled ones and corrections of stock or books; guests included"),
        "higher",
        "Field's standard; net of the returns that came back within the window",
    ),
    Metric(
        "cohorts",
        N_("Cohort table"),
        N_("Customers of a cohort who bought in a month ÷ all customers who first bought in the cohort's month"),
        "share",
        PEOPLE,
        "higher",
        "Classic (“on”) retention by calendar month",
    ),
    Metric(
        "time_between_purchases",
        N_("Time between purchases"),
        N_("Median of the survival curve of the gap to the next purchase day; gaps still open count as not yet ended"),
        "days",
        PEOPLE,
        "lower",
        "Kaplan & Meier 1958; several orders on one day count as one purchase",
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}

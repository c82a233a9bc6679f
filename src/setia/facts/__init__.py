"""What happened: one file per fact table, with its schema and its meaning.

Holds declarations only; `warehouse` keeps the rows, `sources` bring them. To add a table, write its file
and list it below; to add a column, add a `Field` and raise `version`.
"""

from __future__ import annotations

from setia.facts.answers import ANSWERS
from setia.facts.cases import CASES
from setia.facts.consents import CONSENTS
from setia.facts.costs import COSTS
from setia.facts.customers import CUSTOMERS
from setia.facts.events import EVENTS
from setia.facts.exposures import EXPOSURES
from setia.facts.messages import MESSAGES
from setia.facts.order_lines import ORDER_LINES
from setia.facts.orders import ORDERS
from setia.facts.products import PRODUCTS
from setia.facts.rates import RATES
from setia.facts.returns import RETURNS
from setia.facts.schema import FactTable, Field, Kind
from setia.facts.subscriptions import SUBSCRIPTIONS

FACTS: dict[str, FactTable] = {
    table.name: table
    for table in (
        CUSTOMERS,
        CONSENTS,
        ORDERS,
        ORDER_LINES,
        RETURNS,
        PRODUCTS,
        EVENTS,
        SUBSCRIPTIONS,
        MESSAGES,
        ANSWERS,
        CASES,
        COSTS,
        EXPOSURES,
        RATES,
    )
}

__all__ = ["FACTS", "FactTable", "Field", "Kind"]

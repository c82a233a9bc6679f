"""Who bought, viewed and gave back which products before a day: counted by the warehouse, kept as arrays.

Whatever is summed here is a whole number or a decimal, so that no order of rows shows in any figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from setia.history.exchange import in_own_currency
from setia.history.returns import returns_before
from setia.history.sales import days_old, written_orders
from setia.history.scope import Scope
from setia.history.visits import seen_events
from setia.kernel.errors import SetiaError
from setia.predictions.models.purchases import FloatArray

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

Codes = NDArray[np.int32]

SEEN = {"Product Viewed": 1.0, "Product Added to Wishlist": 2.0, "Product Added": 3.0}
"""Events that show an interest, in the words of the Segment specification, and their weights."""
SEEN_DAYS = 60
SEEN_HALF_LIFE = 14.0
THOUSAND = 1000
"""Logs of gaps are summed as whole thousandths."""


class NothingSold(SetiaError):
    """No product was sold before {as_of}, so there is nothing to recommend. Import order lines with products, or ask
    for a later day."""

    code = "predictions.nothing_sold"


@dataclass(frozen=True, eq=False)
class Purchases:
    """One element per customer and product (or per customer, whatever they bought), in this order."""

    customer: Codes
    product: Codes
    times: Codes
    """Days on which it was bought."""
    first: Codes
    """Days from the first of them to the last day that counts."""
    last: Codes
    logs: FloatArray
    """Sum of the natural logs of the gaps between them, in days."""
    squares: FloatArray
    """Sum of the squares of these logs."""


@dataclass(frozen=True, eq=False)
class Interest:
    """One element per customer and product that they looked at and have not bought since."""

    customer: Codes
    product: Codes
    weight: FloatArray
    age: Codes


@dataclass(frozen=True, eq=False)
class Interactions:
    """Everything before a day. Customers and products are numbers: their places in `customers` and `products`."""

    customers: pa.Array
    products: pa.Array
    bought: Purchases
    days: Purchases
    """Purchase days of each customer; `product` is 0."""
    seen: Interest
    returned: tuple[Codes, Codes]
    """What customers gave back and have not bought since: customer, product."""
    guests: tuple[Codes, Codes]
    """Orders of nobody known: number of the order, product."""
    recent: FloatArray
    """Purchase days of each product in the last half of a horizon, guests' orders among them."""
    lately: FloatArray
    """And in the last three horizons."""
    shop_recent: float
    """Purchase days on which anything was bought."""
    shop_lately: float
    last_sold: Codes
    category: Codes
    """Place of each product's category in their alphabetical order; -1 without one."""
    margin: FloatArray
    """Price less cost of each product; the shop's usual share of the price where the cost is not known."""
    price: FloatArray

    def matrix(self, customer: Any, product: Any, values: Any, kind: Any = np.float32) -> Any:
        """A sparse matrix of customers and products, with an empty last row for whoever is not known."""
        from scipy import sparse

        shape = (len(self.customers) + 1, len(self.products))
        return sparse.csr_matrix((np.asarray(values, kind), (customer, product)), shape=shape)


def product_days(facts: Snapshot, scope: Scope) -> Any:
    """One row per buyer, product and day: `customer_id`, or `document` where nobody is known, `product_id`, `age` (days
    to the last day that counts), `units`, `amount` in the shop's currency (null without a rate). Kept."""
    import ibis

    orders: Any = written_orders(facts, scope)
    lines: Any = facts.table("order_lines")
    whose = orders.select("document_id", "customer_id", "currency", "day")
    sold = lines.filter(lines.product_id.notnull(), lines.quantity > 0)
    sold = sold.select("document_id", "product_id", "quantity", "amount").join(whose, "document_id")
    sold = in_own_currency(facts, scope, sold, "amount")
    sold = sold.mutate(
        age=days_old(scope, sold.day).cast("int32"),
        document=ibis.ifelse(sold.customer_id.isnull(), sold.document_id, ibis.null("string")),
    )
    by = ("customer_id", "document", "product_id", "age")
    return facts.kept(sold.group_by(*by).aggregate(units=sold.quantity.sum(), amount=sold.amount.sum()))


def purchases(days: Any, *keys: str) -> Any:
    """One row per known customer, or customer and product: on how many days, since when, in what gaps, what in all."""
    import ibis

    days = days.filter(days.customer_id.notnull())
    days = days.group_by(*keys, "age").aggregate(units=days.units.sum(), amount=days.amount.sum())
    gap = days.age.lag().over(ibis.window(group_by=keys, order_by=ibis.desc("age"))) - days.age
    days = days.mutate(gap=gap.cast("int64"), log=(gap.cast("float64").ln() * THOUSAND).round().cast("int64"))
    return days.group_by(*keys).aggregate(
        times=days.count().cast("int32"),
        first=days.age.max(),
        last=days.age.min(),
        logs=days.log.sum().fill_null(0).cast("int64"),
        squares=(days.log * days.log).sum().fill_null(0).cast("int64"),
        gap_squares=(days.gap * days.gap).sum().fill_null(0).cast("int64"),
        units=days.units.sum(),
        amount=days.amount.sum(),
    )


def read(facts: Snapshot, scope: Scope, horizon_days: int) -> Interactions:
    """Everything strictly before `as_of`. Raises NothingSold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days = product_days(facts, scope)
    products = facts.arrow(_sold(facts, scope, days, horizon_days))
    if not len(products):
        raise NothingSold(as_of=scope.as_of)
    ids = products["product_id"].combine_chunks()
    columns = ("times", "first", "last", "logs", "squares")
    pairs = facts.arrow(purchases(days, "customer_id", "product_id").select("customer_id", "product_id", *columns))
    own = facts.arrow(purchases(days, "customer_id").select("customer_id", *columns))
    seen = facts.arrow(_seen(facts, scope))
    known = [*own["customer_id"].chunks, *seen["customer_id"].chunks]
    customers = pc.unique(pa.chunked_array(known, pa.string())).sort()
    bought = _purchases(pairs, customers, ids)
    guests = facts.arrow(days.filter(days.document.notnull()).select("document", "product_id").distinct())
    category = products["category"]
    recent, lately = _shop_days(facts, days, horizon_days)
    return Interactions(
        customers,
        ids,
        bought,
        _purchases(own, customers, None),
        _interest(seen, customers, ids, bought),
        _returned(facts, scope, customers, ids, bought),
        (codes(guests["document"], guests["document"].unique()), codes(guests["product_id"], ids)),
        numbers(products["recent"]),
        numbers(products["lately"]),
        recent,
        lately,
        numbers(products["last_sold"]).astype(np.int32),
        codes(category, pc.drop_null(pc.unique(category)).sort()),
        *_margins(products, scope),
    )


def codes(column: Any, values: pa.Array) -> Codes:
    """The place of each element among the values; -1 where it has none."""
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.index_in(column, value_set=values, skip_nulls=True), -1), dtype=np.int32)


def cells(matrix: Any, rows: Any, columns: Any) -> Any:
    """The values of a sparse matrix at some places, one after the other."""
    return np.asarray(matrix[rows, columns]).ravel() if len(rows) else np.zeros(0, matrix.dtype)


def numbers(column: pa.ChunkedArray) -> FloatArray:
    """A column of numbers; NaN where there is none."""
    return np.asarray(column.cast("float64").to_numpy(), dtype=np.float64)


def bought_since(now: Interactions, then: Interactions, horizon_days: int) -> Any:
    """What was bought within the last horizon, as a matrix of the customers and products known before it."""
    last = now.bought.last < horizon_days
    customer = codes(now.customers, then.customers)[now.bought.customer[last]]
    product = codes(now.products, then.products)[now.bought.product[last]]
    known = (customer >= 0) & (product >= 0)
    return then.matrix(customer[known], product[known], np.ones(known.sum()))


def half(horizon_days: int) -> int:
    """Days of what counts as recent."""
    return max(horizon_days // 2, 1)


def _sold(facts: Snapshot, scope: Scope, days: Any, horizon: int) -> Any:
    """One row per product that was ever sold, by its key."""
    about: Any = facts.table("products")
    own = about.currency.isnull() | (about.currency == scope.currency)
    about = about.select(
        known_id="product_id",
        category="category",
        price=own.ifelse(about.price, None),
        cost=own.ifelse(about.cost, None),
    )
    sold = days.group_by("product_id").aggregate(
        recent=days.count(where=days.age < half(horizon)),
        lately=days.count(where=days.age < 3 * horizon),
        last_sold=days.age.min(),
        units=days.units.sum(where=days.amount.notnull()),
        amount=days.amount.sum(),
    )
    return sold.left_join(about, sold.product_id == about.known_id).order_by("product_id")


def _shop_days(facts: Snapshot, days: Any, horizon: int) -> tuple[float, float]:
    by = days.select("customer_id", "document", "age").distinct()
    found = by.aggregate(recent=by.count(where=by.age < half(horizon)), lately=by.count(where=by.age < 3 * horizon))
    (row,) = facts.arrow(found).to_pylist()
    return float(row["recent"]), float(row["lately"])


def _purchases(table: pa.Table, customers: pa.Array, products: pa.Array | None) -> Purchases:
    customer = codes(table["customer_id"], customers)
    product = np.zeros(len(table), np.int32) if products is None else codes(table["product_id"], products)
    order = np.lexsort((product, customer))
    days = {name: np.asarray(table[name].to_numpy()[order], np.int32) for name in ("times", "first", "last")}
    logs, squares = (table[name].to_numpy()[order] for name in ("logs", "squares"))
    return Purchases(customer[order], product[order], **days, logs=logs / THOUSAND, squares=squares / THOUSAND**2)


def _seen(facts: Snapshot, scope: Scope) -> Any:
    """One row per known customer and product that they looked at, with the `age` of each kind of interest."""
    events: Any = seen_events(facts, scope)
    events = events.mutate(age=days_old(scope, events.day).cast("int32"))
    known = events.customer_id.notnull() & events.product_id.notnull()
    events = events.filter(known, events.name.isin(list(SEEN)), events.age < SEEN_DAYS)
    kinds = {f"age_{number}": events.age.min(where=events.name == name) for number, name in enumerate(SEEN)}
    return events.group_by("customer_id", "product_id").aggregate(**kinds)


def _interest(seen: pa.Table, customers: pa.Array, products: pa.Array, bought: Purchases) -> Interest:
    customer, product = codes(seen["customer_id"], customers), codes(seen["product_id"], products)
    ages = np.stack([np.nan_to_num(numbers(seen[f"age_{n}"]), nan=np.inf) for n in range(len(SEEN))])
    age = ages.min(axis=0)
    weight = np.array(list(SEEN.values())) @ 0.5 ** (ages / SEEN_HALF_LIFE)
    order = np.lexsort((product, customer))
    order = order[(product[order] >= 0) & (age < _last_bought(bought, len(products), customer, product))[order]]
    return Interest(customer[order], product[order], weight[order], age[order].astype(np.int32))


def _returned(
    facts: Snapshot, scope: Scope, customers: pa.Array, products: pa.Array, bought: Purchases
) -> tuple[Codes, Codes]:
    rows: Any = returns_before(facts, scope)
    rows = rows.mutate(age=days_old(scope, rows.day).cast("int32"))
    found = facts.arrow(rows.group_by("customer_id", "product_id").aggregate(age=rows.age.min()))
    customer, product = codes(found["customer_id"], customers), codes(found["product_id"], products)
    since = _last_bought(bought, len(products), customer, product) < numbers(found["age"])
    kept = (customer >= 0) & (product >= 0) & ~since
    return customer[kept], product[kept]


def _last_bought(bought: Purchases, products: int, customer: Codes, product: Codes) -> FloatArray:
    """Days since each customer last bought each product; infinite where they never did."""
    if not len(bought.last):
        return np.full(len(customer), np.inf)
    pairs, asked = (
        who.astype(np.int64) * products + what for who, what in ((bought.customer, bought.product), (customer, product))
    )
    place = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    return np.where(pairs[place] == asked, bought.last[place], np.inf)


def _margins(products: pa.Table, scope: Scope) -> tuple[FloatArray, FloatArray]:
    """Margin and price of a unit; without a price of its own, what was paid for one on the mean."""
    units, price = numbers(products["units"]), numbers(products["price"])
    price = np.where(np.isnan(price), numbers(products["amount"]) / np.where(units > 0, units, np.nan), price)
    margin = price - numbers(products["cost"])
    return np.where(np.isnan(margin), float(scope.margin) * price, margin), price

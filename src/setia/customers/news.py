"""Who has news since the last refresh: the only customers whose traits a refresh works out again.

Everybody else keeps what was known, a day older for each day that has passed. That this gives exactly what a refresh
from scratch gives is a property that the tests hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.observed.doings import RECENT_DAYS
from setia.customers.trait import WINDOWS
from setia.customers.traits import KEY, OBSERVED, everybody, wanted_families, with_families, with_needs
from setia.facts import FACTS, Kind
from setia.warehouse.duck import literal, row
from setia.warehouse.persons import SAME_PERSON
from setia.warehouse.snapshot import Memory

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from setia.history.scope import Scope
    from setia.warehouse.files import DataFile
    from setia.warehouse.reader import Reader

NEWS = "setia_news"
_EDGES = (0, *WINDOWS, RECENT_DAYS + 1, RECENT_DAYS + 2)
"""Days before `as_of` at which something stops or begins to count."""
_WATCHED = ("customers", "consents", "orders", "returns", "events", "messages", "answers", "cases", "subscriptions")
"""Facts of which traits are made."""
_FOR_EVERYBODY = ("rates",)
"""Facts whose change may move anybody's amounts."""


@dataclass(frozen=True, slots=True)
class Before:
    """The refresh that the present traits come from."""

    as_of: dt.date
    files: Collection[DataFile]
    """Those of its snapshot."""


def find_news(reader: Reader, before: Before, scope: Scope) -> int | None:
    """Make the temporary table `NEWS` (`customer_id`) under the reader's connection; returns how many customers.

    None: everybody's traits have to be made anew.
    """
    changed = {name: reader.changes(name, before.files) for name in (*FACTS, SAME_PERSON)}
    if scope.as_of < before.as_of or any(changed[name] for name in _FOR_EVERYBODY):
        return None
    run = reader.duck.execute
    for name in _WATCHED:
        nothing = f"select * from {name} where false"
        sources = [changed[name] or nothing, *_moved(name, before, scope)]
        columns = ", ".join(c for c in _LINKS if c in FACTS[name].names())
        union = " union all ".join(f"select {columns} from ({source})" for source in sources)
        run(f"create or replace temp table news_{name} as select distinct {columns} from ({union})")
    touched = [f"select customer_id from news_{name}" for name in _WATCHED]
    if changed[SAME_PERSON]:
        touched += [f"select {key} from ({changed[SAME_PERSON]})" for key in ("customer_id", "person_id")]
    touched += list(_linked(changed))
    run(f"create or replace temp table news_keys as select distinct customer_id from ({' union all '.join(touched)})")
    joined = reader.rows(SAME_PERSON) > 0
    if joined:
        run(f"insert into news_keys {_other_keys('news_keys')}")
    addresses = (
        "select lower(email) from news_customers union all select lower(email) from news_consents "
        f"union all select lower(email) from {reader.contact_list} where customer_id in (from news_keys) "
        "union all select lower(email) from consents where customer_id in (from news_keys)"
    )
    # Who has an address decides for everybody who has it.
    for table in (reader.contact_list, "consents"):
        run(f"insert into news_keys select customer_id from {table} where lower(email) in ({addresses})")
    # A key that is another's now has left the table of traits, and one that is not any more comes back.
    persons = f" union select p.person_id from news_keys k join {SAME_PERSON} p using (customer_id)" if joined else ""
    run(
        f"create or replace temp table {NEWS} as select distinct customer_id from news_keys "
        f"where customer_id is not null{persons}"
    )
    return int(row(reader.duck, f"select count(*) from {NEWS}")[0])


def _other_keys(keys: str) -> str:
    """All keys of the people who have one of these."""
    return (
        f"select o.customer_id from {SAME_PERSON} o join {SAME_PERSON} s on s.person_id = o.person_id "
        f"where s.customer_id in (select customer_id from {keys})"
    )


_LINKS = ("customer_id", "email", "order_id", "visitor")


def _moved(name: str, before: Before, scope: Scope) -> Iterator[str]:
    """Rows that count otherwise on the new day though nothing has changed about them."""
    days = (scope.as_of - before.as_of).days
    if not days:
        return
    since, until = scope.at(before.as_of).until, scope.until
    for field in FACTS[name].fields:
        if field.kind is Kind.INSTANT:
            bounds = f"{field.name} >= {literal(since)} and {field.name} < {literal(until)}"
            yield f"select * from {name} where {bounds}"
        elif field.kind is Kind.DAY and field.name == "day":
            edges = (before.as_of - dt.timedelta(days=edge) for edge in _EDGES)
            spans = (f"day >= {literal(d)} and day < {literal(d + dt.timedelta(days=days))}" for d in edges)
            yield f"select * from {name} where {' or '.join(f'({span})' for span in spans)}"


def _linked(changed: dict[str, str | None]) -> Iterator[str]:
    """Customers of whom something is told by rows of others."""
    # A return belongs to the order of its number.
    for news in ("news_orders", "news_returns"):
        for table in ("orders", "returns"):
            yield f"select customer_id from {table} where order_id in (select order_id from {news})"
    # A device on which one customer alone has signed in is theirs.
    yield "select customer_id from events where visitor in (select visitor from news_events)"
    documents = []
    if changed["order_lines"]:
        documents.append(f"select document_id from ({changed['order_lines']})")
    if changed["products"]:
        products = f"select product_id from ({changed['products']})"
        documents.append(f"select document_id from order_lines where product_id in ({products})")
    for each in documents:
        yield f"select customer_id from orders where document_id in ({each})"


class _Narrowed(Memory):
    """The facts of those with news alone, where there are many; of the other tables everything."""

    def __init__(self, facts: Reader, news: Any) -> None:
        super().__init__()
        self._facts = facts
        self._news = news

    def table(self, name: str) -> ir.Table:
        whole: Any = self._facts.table(name)
        if name in ("orders", "messages", "answers", "cases"):
            return whole.semi_join(self._news, "customer_id")
        if name == "events":
            own = whole.semi_join(self._news, "customer_id")
            devices = own.filter(own.visitor.notnull()).select("visitor").distinct()
            on_them = whole.semi_join(devices, "visitor").anti_join(self._news, "customer_id")
            return own.union(on_them)
        return whole

    def rows(self, table: str) -> int:
        return self._facts.rows(table)

    def arrow(self, expression: ir.Table) -> pa.Table:
        return self._facts.arrow(expression)

    def kept(self, expression: ir.Table) -> ir.Table:
        return self._facts.kept(expression)


def renewed(facts: Reader, before: Before, scope: Scope) -> ir.Table:
    """What `traits.happened` gives, from the present traits and what those in `NEWS` have done.

    Everybody's contact and subscription are looked at again: they change with the day alone.
    """
    wanted = with_needs(scope, OBSERVED)
    families = wanted_families(wanted)
    lasting = [family for family in families if not family.always]
    names = [trait.name for family in lasting for trait in family.traits]
    news: Any = facts.ibis.table(NEWS)
    known: Any = facts.table("traits")
    days = (scope.as_of - before.as_of).days
    ages = {trait.name for family in lasting for trait in family.traits if trait.ages}
    older = known.anti_join(news, "customer_id")
    older = older.select(KEY.name, **{name: older[name] + days if name in ages else older[name] for name in names})
    narrowed = _Narrowed(facts, news)
    fresh: Any = everybody(narrowed, scope).semi_join(news, "customer_id")
    told_by = {family: facts if family.whole else narrowed for family in lasting}
    fresh = with_families(fresh, told_by, scope, wanted).select(KEY.name, *names)
    found = older.union(fresh.cast(dict(older.schema().items())))
    return with_families(found, {family: facts for family in families if family.always}, scope, wanted)

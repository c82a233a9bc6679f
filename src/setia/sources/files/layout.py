"""A layout: an export known by its headers, declared as roles and the SQL that turns them into facts.

To add a format, make a folder under `formats/` with `LAYOUTS` and list it there. See docs/how-to/add-a-file-format.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from setia.facts import FACTS, Kind
from setia.sources.files import bridge
from setia.sources.files.columns import Columns
from setia.sources.files.header import plain
from setia.sources.files.overrides import Override
from setia.sources.files.roles import Role, above, amount, day, email, flag, moment, phone, text, word
from setia.sources.files.sales import PERSONS, SALE_COLUMNS, sale_facts
from setia.sources.files.table import TextTable
from setia.sources.files.understood import ROWS, Part, Shop, Stated, Understood
from setia.warehouse.duck import literal, quoted

__all__ = [
    "Layout", "Stated", "Together", "above", "amount", "day", "email", "flag", "moment", "once", "phone", "text",
    "word",
]  # fmt: skip

Expressions = Mapping[str, str]
"""Column to SQL over the roles."""
Recognised = list[tuple[Understood, list[TextTable]]]


def once(*roles: str) -> str:
    """The sum of amounts that belong to the whole order, whether repeated on each line or only on its first."""
    return " + ".join(f"coalesce(max({role}) over (partition by number), 0)" for role in roles)


@dataclass(frozen=True, slots=True)
class Found:
    """A table that a layout knows: what its columns are, and what the person said of it."""

    table: TextTable
    columns: Mapping[str, str]
    override: Override


@dataclass(frozen=True, slots=True)
class Layout:
    """An export known by its headers.

    In all SQL a role is a typed column of its own name, null where the file lacks it; `{zone}`, `{currency}` and
    `{region}` are the shop's own as literals, `file_name` and `file_time` are the file's, `pseudonym(x)` hides an
    address used as a key and `shop_day(t)` is a moment's day in the shop's zone. Windows over the rows of a file are
    allowed.
    """

    name: str
    """What it is called to a person."""
    roles: Mapping[str, Role]
    needs: tuple[str, ...]
    """The roles without which a table is something else."""
    marks: tuple[str, ...] = ()
    """Headers of which one at least must be there."""
    only: str | None = None
    """Which rows are data; the others are explanations and totals."""
    zone: str | None = None
    """IANA zone of times that name none; None: the shop's."""
    sale: Expressions | Callable[[Set[str]], Expressions] | None = None
    """Columns of `sales.SALE_COLUMNS`; those that are called as a role need not be named. None: no sales in it."""
    facts: Mapping[str, Expressions | Sequence[Expressions]] = field(default_factory=dict)
    """Other fact tables, each from one row of columns or several."""
    stated: Stated | None = None
    notes: tuple[str, ...] = ()
    """What the person should know, said aloud."""
    others: str = ""
    """What the rows are that `only` leaves out, told with their number."""
    spread: bool = False
    """What stands for a whole order is on the first of its lines only, which may end in the next file."""

    def found(self, table: TextTable, override: Override) -> Found | None:
        """The table under this layout's roles, None where it is something else."""
        if self.marks and not {plain(mark) for mark in self.marks} & {plain(name) for name in table.columns}:
            return None
        columns = {role: column for role, known in self.roles.items() if (column := known.column(table.columns))}
        columns |= {role: column for role, column in override.columns.items() if column in table.columns}
        return Found(table, columns, override) if set(self.needs) <= columns.keys() else None

    def understood(self, found: Sequence[Found], shop: Shop) -> Understood:
        """The meaning of one table, or of those over which an export was cut. Raises ColumnUnreadable."""
        bound = [Columns(each.table, self.roles, each.columns, shop, each.override, self.zone) for each in found]
        has: frozenset[str] = frozenset().union(*(own.found for own in bound))
        stage: dict[str, str] = {}
        facts: dict[str, str] = {}
        bridged = None
        if self.sale is not None:
            sale = self._sale(has)
            stated = self.stated if self.stated and _speaks_of(self.stated.sql, has) else None
            stage = staged_sale(sale, bound, stated, shop)
            names = frozenset(stage)
            facts = sale_facts(
                names, shop.currency, source=found[0].override.source or source_of(self.name), spread=self.spread
            )
            bridged = bridge.select(names, stated, shop.currency) if stated else None
        for name, rows in self.facts.items():
            each = [rows] if isinstance(rows, Mapping) else rows
            selects = [fact_select(name, n, columns, stage) for n, columns in enumerate(each)]
            facts[name] = " union all by name ".join([facts[name], *selects] if name in facts else selects)
        stage = {name: shop_words(sql, shop) for name, sql in stage.items()}
        only = shop_words(self.only, shop) if self.only else None
        required = () if self.sale is None or self.spread else ("placed_at", *(["number"] if "number" in stage else []))
        parts = {
            f"part_{n}" if len(bound) > 1 else "rows": Part(
                own.table, own.columns, own.reads, stage, only, own.carried, required
            )
            for n, own in enumerate(bound)
        }
        return Understood(
            format=self.name,
            parts=parts,
            facts=facts,
            persons=tuple(name for name in stage if name.split(".")[-1] in PERSONS),
            notes=(*dict.fromkeys(note for own in bound for note in own.notes), *self.notes),
            others=self.others,
            joined=one_after_the_other(list(parts)) if len(parts) > 1 else None,
            whole_orders=self.spread,
            bridge=bridged,
            stated=self.stated.name if self.stated and bridged else None,
        )

    def _sale(self, has: Set[str]) -> dict[str, str]:
        declared = self.sale(has) if callable(self.sale) else self.sale or {}
        passed = {name: quoted(name) for name in SALE_COLUMNS if name in self.roles and name in has}
        return {**passed, **declared}


@dataclass(frozen=True, slots=True)
class Together:
    """A set of tables that make sense only together. `facts` and `sale_from` name them in braces."""

    name: str
    layouts: Mapping[str, Layout]
    """Name of the table to its layout; only what describes the table counts."""
    needs: tuple[str, ...]
    """The tables without which it is nothing; the others may be missing and are empty then."""
    sale_from: str
    """A SELECT over the tables of one row per order line."""
    sale_columns: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    """Fact table to a SELECT over the tables, of any of its columns."""
    stated: Stated | None = None
    """Over the columns of `sale_from`."""
    notes: tuple[str, ...] = ()

    def understood(self, found: Mapping[str, Found], shop: Shop) -> Understood:
        """The meaning of the tables that are there, by their names. Raises ColumnUnreadable."""
        parts, notes, empty = {}, [*self.notes], {}
        for name, layout in self.layouts.items():
            if name not in found:
                kept = {"fingerprint_of_row": "UBIGINT"} | {role: known.type for role, known in layout.roles.items()}
                nulls = ", ".join(f"null::{kind} as {quoted(role)}" for role, kind in kept.items())
                empty[name] = f"(select {nulls} where false)"
                continue
            each = found[name]
            own = Columns(each.table, layout.roles, each.columns, shop, each.override, layout.zone)
            only = shop_words(layout.only, shop) if layout.only else None
            stage = {read.name: quoted(read.name) for read in own.reads}
            parts[name] = Part(own.table, own.columns, own.reads, stage, only, own.carried)
            notes += own.notes
        stage = staged_sale({name: quoted(name) for name in self.sale_columns}, [], self.stated, shop)
        facts = sale_facts(frozenset(stage), shop.currency, source=source_of(self.name))
        joined = f"select {', '.join(f'{sql} as {quoted(name)}' for name, sql in stage.items())}, fingerprint_of_row"
        for name, select in self.facts.items():
            facts[name] = _with(shop_words(select, shop), empty)
        source = _with(shop_words(self.sale_from, shop), empty)
        return Understood(
            format=self.name,
            parts=parts,
            facts={name: all_columns(name, select) if name in self.facts else select for name, select in facts.items()},
            persons=tuple(name for name in stage if name in PERSONS),
            notes=tuple(dict.fromkeys(notes)),
            joined=f"{joined} from ({source})",
            bridge=bridge.select(frozenset(stage), self.stated, shop.currency) if self.stated else None,
            stated=self.stated.name if self.stated else None,
        )


def source_of(layout: str) -> str:
    """The system that a layout's name begins with, as orders of it are told apart; empty for one of any make."""
    return plain(layout.partition(":")[0]).replace(" ", "-") if ":" in layout else ""


def staged_sale(sale: Expressions, bound: Sequence[Columns], stated: Stated | None, shop: Shop) -> dict[str, str]:
    """The columns to keep of each row, over the reads."""
    kept = {name: sql for name, sql in sale.items() if name != "customer_key"}
    # A role knows its day without going through UTC.
    role = sale["placed_at"].strip('"')
    known = any(f"{role}_day" == read.name for own in bound for read in own.reads)
    kept["day"] = quoted(f"{role}_day") if known else f"shop_day({sale['placed_at']})"
    if "customer_key" in sale:
        kept["customer_id"] = f"pseudonym({sale['customer_key']})"
    mark = next((own.currency_mark for own in bound if own.currency_mark), None)
    if "currency" not in sale and mark is not None:
        kept["currency"] = mark
    if shop.staff and "customer_key" in sale:
        keys = [sale["customer_key"], *([sale["email"]] if "email" in sale else [])]
        kept["is_staff"] = f"coalesce({sale.get('is_staff', 'false')}, false) or {of_staff(keys, shop.staff)}"
    if stated is not None:
        kept |= bridge.staged(stated)
    return kept


def _speaks_of(sql: str, roles: Set[str]) -> bool:
    return bool(set(re.findall(r"[a-z_0-9]+", sql)) & roles)


def of_staff(keys: Sequence[str], staff: Sequence[str]) -> str:
    """Whether any of the keys is of the shop's own people: by address, by an address's `@domain` or by key."""
    named = ", ".join(literal(each.lower()) for each in staff)
    tests = [f"lower({key}) in ({named}) or regexp_extract(lower({key}), '@.*$') in ({named})" for key in keys]
    return f"coalesce({' or '.join(tests)}, false)"


def shop_words(sql: str, shop: Shop) -> str:
    """SQL with the shop's own words put in."""
    for name, value in (("zone", shop.zone), ("currency", shop.currency), ("region", shop.region)):
        sql = sql.replace(f"{{{name}}}", literal(value))
    return sql


def fact_select(name: str, number: int, columns: Expressions, stage: dict[str, str]) -> str:
    """The SELECT of one fact table's rows; what it needs is added to the staged columns."""
    table = FACTS[name]
    declared = dict(columns)
    if "customer_id" in declared:
        declared["customer_id"] = f"pseudonym({declared['customer_id']})"
    for each in table.fields:
        if each.name not in declared and each.default in declared:
            stands_in = declared[each.default]
            declared[each.name] = f"shop_day({stands_in})" if each.kind is Kind.DAY else stands_in
    if "known_at" in table.names():
        declared.setdefault("known_at", "file_time")
    if "currency" in table.names():
        declared["currency"] = f"coalesce({declared.get('currency', 'null')}, {{currency}})"
    staged = {column: f"{name}{number or ''}.{column}" for column in declared}
    stage.update({staged[column]: sql for column, sql in declared.items()})
    named = ", ".join(f"{quoted(staged[c])} as {quoted(c)}" for c in declared)
    return all_columns(name, f"select {named} from {ROWS}")


def all_columns(name: str, select: str) -> str:
    """A SELECT of some columns of a fact table, as one of all; rows without a required one are left out."""
    table = FACTS[name]
    nulls = ", ".join(f"null::{each.kind.value} as {quoted(each.name)}" for each in table.fields)
    there = " and ".join(f"{quoted(each.name)} is not null" for each in table.fields if each.required) or "true"
    return f"select * from (select {nulls} where false union all by name {select}) where {there}"


def _with(sql: str, empty: Mapping[str, str]) -> str:
    for name, nothing in empty.items():
        sql = sql.replace(f"{{{name}}}", nothing)
    return sql


def one_after_the_other(parts: Sequence[str]) -> str:
    """The rows of several files of one export, of which an order's last version counts, whole.

    An order begins in the file that has its time; lines without one go on with an order of the file before.
    """
    rows = " union all by name ".join(f"select *, {n} as part from {{{part}}}" for n, part in enumerate(parts))
    begins = "max(part) filter (where placed_at is not null) over (partition by number)"
    first = "min(part) filter (where placed_at is not null) over (partition by number)"
    return (
        f"select * exclude (part, begins, first) from (select *, {begins} as begins, {first} as first from ({rows})) "
        "where begins is null or first = begins or part >= begins"
    )

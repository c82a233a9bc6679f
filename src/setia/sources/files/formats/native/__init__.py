"""Setia's own layout: a file with the columns of one fact table, under their own names.

Documented in docs/reference/facts.md, which is generated from the declarations. Columns that are not required may
be missing; one that is not known is left out and named.
"""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from setia.facts import FACTS, FactTable, Field, Kind
from setia.kernel.i18n import Sentence
from setia.sources.files.layout import of_staff
from setia.sources.files.overrides import Override
from setia.sources.files.table import Read, TextTable
from setia.sources.files.understood import Part, Shop, Understood
from setia.sources.files.values import TimeStyle, time_style, within
from setia.sources.files.values.phones import international_sql
from setia.warehouse.duck import literal, quoted

NAME = "Setia's own layout"


def recognise(table: TextTable, override: Override, shop: Shop) -> Understood | None:
    """A file of one fact table, known by its name or, failing that, by its columns."""
    renamed = any(role != column for role, column in override.columns.items())
    found = None if renamed else _by_name(table) or _by_columns(table)
    if found is None:
        return None
    styles = {
        field.name: _style(table, field.name)
        for field in found.fields
        if field.kind is Kind.INSTANT and field.name in table.columns
    }
    zone = ZoneInfo(override.zone or shop.zone)
    reads = tuple(_read(field, table, styles, zone, shop) for field in found.fields)
    columns = ", ".join(quoted(name) for name in found.names())
    own = {field.name: field.name for field in found.fields if field.name in table.columns}
    return Understood(
        format=f"{NAME}: {found.name}",
        parts={"rows": Part(table, own, reads, {name: quoted(name) for name in found.names()})},
        facts={found.name: f"select {columns} from {{rows}}"},
        persons=found.person,
        notes=tuple(
            Sentence("Column {column} is not part of {table} and is left out", column=name, table=found.name)
            for name in table.columns
            if name not in found.names()
        ),
    )


def _by_name(table: TextTable) -> FactTable | None:
    stem = Path(table.container.name).name.split(".")[0]
    found = FACTS.get(stem)
    return found if found is not None and _fits(found, table) else None


def _by_columns(table: TextTable) -> FactTable | None:
    fitting = [fact for fact in FACTS.values() if _fits(fact, table) and set(table.columns) <= set(fact.names())]
    return max(fitting, key=lambda fact: len(set(fact.names()) & set(table.columns)), default=None)


def _fits(fact: FactTable, table: TextTable) -> bool:
    return all(field.name in table.columns for field in fact.fields if field.required)


def _style(table: TextTable, column: str) -> TimeStyle:
    name = quoted(column)
    return time_style(name, table.count, lambda e: table.count(e, whole=True)) or TimeStyle(offset=True)


def _read(field: Field, table: TextTable, styles: dict[str, TimeStyle], zone: ZoneInfo, shop: Shop) -> Read:
    if field.name not in table.columns:
        return Read(field.name, _standing_in(field, table, styles, zone, shop))
    text = quoted(field.name)
    match field.kind:
        case Kind.TEXT:
            written = _text(field, text, shop.region)
            stands_in = f"coalesce({written}, {_standing_in(field, table, styles, zone, shop)})"
            # What is missing here is filled in, so that it is no problem of the row.
            return Read(field.name, stands_in if field.default else written, field.name, field.required)
        case Kind.INSTANT:
            sql = styles[field.name].instant(text, zone)
        case Kind.DAY if field.default:
            derived = _standing_in(field, table, styles, zone, shop)
            sql = f"case when {text} is null then {derived} else {within(f'try_cast({text} as date)')} end"
        case Kind.INTEGER:
            sql = f"try_cast(try_cast({text} as decimal(18,4)) as bigint)"
        case kind:
            sql = f"try_cast({text} as {kind.value})"
    return Read(field.name, sql, field.name, field.required)


def _text(field: Field, text: str, region: str | None) -> str:
    if field.name == "customer_id":
        return f"pseudonym({text})"
    if field.name == "phone":
        return f"coalesce({international_sql(text, region)}, {text})"
    return f"lower({text})" if field.name == "email" else text


def _standing_in(field: Field, table: TextTable, styles: dict[str, TimeStyle], zone: ZoneInfo, shop: Shop) -> str:
    """What a column that the file does not have is filled with."""
    if field.name == "currency":
        return literal(shop.currency)
    if field.name == "is_staff" and shop.staff and "customer_id" in table.columns:
        return of_staff([quoted("customer_id")], shop.staff)
    if field.default in table.columns and field.default is not None:
        if field.kind is Kind.DAY:
            return f"({styles[field.default].local(quoted(field.default), zone)})::date"
        return quoted(field.default)
    return f"null::{field.kind.value}"

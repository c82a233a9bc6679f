"""Setia's own layout: a file with the columns of one fact table, under their own names.

Documented in docs/reference/facts.md, which is generated from the declarations. Columns that are not required may
be missing; a column that is not known is an error only when the file's name promises a fact table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from setia.facts import FACTS, FactTable, Field, Kind
from setia.sources.files.formats.understood import Shop, Understood
from setia.sources.files.table import TextTable, Typed
from setia.sources.files.values import TimeStyle, time_style, within
from setia.warehouse.duck import literal, quoted

NAME = "Setia's own layout"
_IDS = ("customer_id",)


def recognise(table: TextTable, mapping: Mapping[str, str], shop: Shop) -> Understood | None:
    """A file of one fact table, known by its name or, failing that, by its columns."""
    if mapping:
        return None
    found = _by_name(table) or _by_columns(table)
    if found is None:
        return None
    styles = {
        field.name: _style(table, field.name)
        for field in found.fields
        if field.kind is Kind.INSTANT and field.name in table.columns
    }
    zone = ZoneInfo(shop.zone)
    typed = tuple(_typed(field, table, styles, zone, shop) for field in found.fields)
    columns = ", ".join(quoted(name) for name in found.names())
    return Understood(
        format=f"{NAME}: {found.name}",
        columns={field.name: field.name for field in found.fields if field.name in table.columns},
        typed=typed,
        facts={found.name: f"select {columns} from {{rows}}"},
        persons=found.person,
        notes=tuple(
            f"Column {name!r} is not part of {found.name} and is left out"
            for name in table.columns
            if name not in found.names()
        ),
    )


def _by_name(table: TextTable) -> FactTable | None:
    stem = Path(table.container.given).name.split(".")[0]
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


def _typed(field: Field, table: TextTable, styles: Mapping[str, TimeStyle], zone: ZoneInfo, shop: Shop) -> Typed:
    if field.name not in table.columns:
        return Typed(field.name, _standing_in(field, table, styles, zone, shop))
    text = quoted(field.name)
    match field.kind:
        case Kind.TEXT:
            written = _text(field, text, shop)
            stands_in = f"coalesce({written}, {_standing_in(field, table, styles, zone, shop)})"
            return Typed(field.name, stands_in if field.default else written, field.required, field.name)
        case Kind.INSTANT:
            expression = styles[field.name].instant(text, zone)
        case Kind.DAY if field.default:
            derived = _standing_in(field, table, styles, zone, shop)
            expression = f"case when {text} is null then {derived} else {within(f'try_cast({text} as date)')} end"
        case Kind.INTEGER:
            expression = f"try_cast(try_cast({text} as decimal(18,4)) as bigint)"
        case kind:
            expression = f"try_cast({text} as {kind.value})"
    return Typed(field.name, expression, field.required, field.name, filled=text)


def _text(field: Field, text: str, shop: Shop) -> str:
    if field.name in _IDS:
        return shop.identity.customer_id_sql(text)
    return f"lower({text})" if field.name == "email" else text


def _standing_in(field: Field, table: TextTable, styles: Mapping[str, TimeStyle], zone: ZoneInfo, shop: Shop) -> str:
    """What a column that the file does not have is filled with."""
    if field.name == "currency":
        return literal(shop.currency)
    if field.default in table.columns and field.default is not None:
        if field.kind is Kind.DAY:
            return f"({styles[field.default].local(quoted(field.default), zone)})::date"
        return quoted(field.default)
    return f"null::{field.kind.value}"

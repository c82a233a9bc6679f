"""The file formats: every layout and set of tables, with the columns that each knows."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

from docs.generated.markdown import code, paragraphs, table
from setia.sources.files import formats
from setia.sources.files.layout import Layout, Stated, Together
from setia.sources.files.roles import Reading, Role
from setia.sources.files.sales import SALE_COLUMNS, sale_facts

INTRODUCTION = """# File formats

*For whoever wonders whether a file is understood, and as what.* An export is known by its headers, in any order, in any
case, whatever the file is called. Of several layouts that fit, the one that knows most of a table's columns is taken.
A table is read as a [fact table](facts.md#setias-own-layout) first and as an order log last. A mapping file names a
layout as `format = "…"` and its columns by the roles below ([how](../how-to/import-your-orders.md)).

Each format says where its knowledge comes from: what its maker documents, what was seen in public files, and what is
inferred. *Needed* roles make the layout; a row without a *required* one is a bad row.

Files may be CSV (any separator), Excel (`.xlsx`, `.xlsm`, `.xlsb`, `.xls`), OpenDocument (`.ods`), HTML tables (also
those called `.xls`), JSON, JSON Lines or Parquet, packed with zip, gzip or zstd, in any usual encoding.
"""
READS = {
    Reading.TEXT: "text", Reading.WORD: "word", Reading.AMOUNT: "amount", Reading.MOMENT: "moment",
    Reading.DAY: "day", Reading.FLAG: "yes or no", Reading.EMAIL: "e-mail address",
    Reading.PHONE: "telephone number", Reading.ABOVE: "cell beside a label above the header",
}  # fmt: skip
_LONGEST_PATTERN = 120
_MANY = 10
_NUMBERED = re.compile(r"^(.*)_(\d+)$")


def page() -> str:
    """The page."""
    return "\n\n".join([INTRODUCTION.strip(), *(part for module in _modules() for part in _format(module))])


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(formats.__path__):
        yield importlib.import_module(f"{formats.__name__}.{found.name}")


def _format(module: ModuleType) -> list[str]:
    parts = [f"## {module.__name__.rpartition('.')[2]}", paragraphs(module)]
    layouts = [module.LAYOUT] if hasattr(module, "LAYOUT") else getattr(module, "LAYOUTS", ())
    parts += [part for layout in layouts for part in _layout(layout)]
    return parts + [part for each in getattr(module, "SETS", ()) for part in _set(each)]


def _layout(layout: Layout) -> list[str]:
    told = [
        f"becomes {_listed(becomes(layout))}",
        *_of_stated(layout.stated),
        *([f"times without a zone are in {code(layout.zone)}"] if layout.zone else []),
        *([f"left out: {layout.others}"] if layout.others else []),
    ]
    return [f"### {layout.name}", f"*{'; '.join(told)}*", _roles(layout), *_notes(layout.notes)]


def _set(together: Together) -> list[str]:
    facts = {*_of_sale(together.sale_columns), *together.facts}
    told = [f"tables that make sense together become {_listed(facts)}", *_of_stated(together.stated)]
    parts = [f"### {together.name}", f"*{'; '.join(told)}*", *_notes(together.notes)]
    for name, layout in together.layouts.items():
        parts += [f"Table {code(name)}{', needed' if name in together.needs else ''}:", _roles(layout)]
    return parts


def becomes(layout: Layout) -> set[str]:
    """The fact tables that a layout's rows become, where it has all its columns."""
    if layout.sale is None:
        return set(layout.facts)
    has = frozenset(layout.roles)
    declared = layout.sale(has) if callable(layout.sale) else layout.sale
    return {*_of_sale({*declared, *(has & SALE_COLUMNS.keys())}), *layout.facts}


def _of_sale(columns: Iterable[str]) -> set[str]:
    has = {"customer_id" if name == "customer_key" else name for name in columns}
    found = set(sale_facts(has, "XXX"))
    return found if "customer_id" in has else found - {"customers"}


def _listed(facts: Iterable[str]) -> str:
    return ", ".join(f"[{name}](facts.md#{name})" for name in sorted(facts))


def _of_stated(stated: Stated | None) -> list[str]:
    return [f'compared with the system\'s own "{stated.name}"'] if stated else []


def _notes(notes: Iterable[str]) -> list[str]:
    listed = "\n".join(f"- {note}." for note in notes)
    return [listed] if listed else []


def _roles(layout: Layout) -> str:
    rows = [(code(name), _headers(role), READS[role.reading], _must(name, role, layout))
            for name, role in _without_runs(layout.roles).items()]  # fmt: skip
    return table(("role", "headers", "reads as", ""), rows)


def _without_runs(roles: Mapping[str, Role]) -> dict[str, Role]:
    """The roles, of many that are numbered through only the first and the last."""
    runs: dict[str, list[str]] = {}
    for name in roles:
        numbered = _NUMBERED.match(name)
        runs.setdefault(f"{numbered[1]}_" if numbered else name, []).append(name)
    kept = {name for run in runs.values() for name in (run if len(run) < _MANY else (run[0], run[-1]))}
    return {name: role for name, role in roles.items() if name in kept}


def _headers(role: Role) -> str:
    known = [code(header) for header in role.headers]
    pattern = role.pattern or ""
    pattern = pattern if len(pattern) <= _LONGEST_PATTERN else f"{pattern[:_LONGEST_PATTERN]}…"
    return ", ".join([*known, *([f"fitting {code(pattern)}"] if pattern else [])])


def _must(name: str, role: Role, layout: Layout) -> str:
    return ", ".join([*(["needed"] if name in layout.needs else []), *(["required"] if role.required else [])])

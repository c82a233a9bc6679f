"""Which export each table is: sets of tables first, then the layout that knows most of a table's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from setia.kernel.errors import SetiaError
from setia.sources.files.errors import MappingWrong
from setia.sources.files.formats import LAYOUTS, SETS, native, order_log
from setia.sources.files.layout import Found, Layout, Together
from setia.sources.files.overrides import Overrides
from setia.sources.files.table import TextTable
from setia.sources.files.understood import Shop, Understood


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was made of the tables of one command."""

    understood: list[Understood]
    skipped: list[tuple[TextTable, SetiaError]]
    """Tables of a file that holds others, of which nothing could be made, and why."""


def recognise(tables: Sequence[TextTable], overrides: Overrides, shop: Shop) -> Recognised:
    """The meaning of all tables of one command, in their order.

    Raises ColumnMissing, ColumnUnreadable, MappingWrong for a file of which nothing can be made.
    """
    found: list[tuple[int, Understood]] = []
    rest = list(enumerate(tables))
    for known in SETS:
        while members := _members(known, rest, overrides):
            together = known.understood({name: each for name, (_, each) in members.items()}, shop)
            found.append((min(n for n, _ in members.values()), together))
            taken = [each.table for _, each in members.values()]
            rest = [(n, table) for n, table in rest if table not in taken]
    cut: dict[str, tuple[Layout, list[tuple[int, Found]]]] = {}
    skipped: list[tuple[TextTable, SetiaError]] = []
    for n, table in rest:
        try:
            own = _own(table, overrides, shop)
            layout = None if own else _layout(table, overrides)
            if own is not None:
                found.append((n, own))
            elif layout is None:
                found.append((n, order_log.understand(table, overrides.of(table.container.name), shop)))
            elif layout[0].spread:
                cut.setdefault(layout[0].name, (layout[0], []))[1].append((n, layout[1]))
            else:
                found.append((n, layout[0].understood([layout[1]], shop)))
        except SetiaError as problem:
            skipped.append((table, problem))
    found += [(each[0][0], layout.understood([f for _, f in each], shop)) for layout, each in cut.values()]
    understood = [each for _, each in sorted(found, key=lambda pair: pair[0])]
    _require_something_of_each_file(understood, skipped)
    return Recognised(understood, skipped)


def _members(
    known: Together, rest: Sequence[tuple[int, TextTable]], overrides: Overrides
) -> dict[str, tuple[int, Found]]:
    """The first table of each name of a set; nothing where one is missing that the set needs."""
    members: dict[str, tuple[int, Found]] = {}
    for name, layout in known.layouts.items():
        for n, table in rest:
            each = layout.found(table, overrides.of(table.container.name))
            if each is not None:
                members[name] = (n, each)
                break
    return members if set(known.needs) <= members.keys() else {}


def _layout(table: TextTable, overrides: Overrides) -> tuple[Layout, Found] | None:
    """The layout that has most of a table's columns, None where no layout has what it needs."""
    override = overrides.of(table.container.name)
    if override.format is None:
        named = [layout for layout in LAYOUTS if override.columns.keys() <= layout.roles.keys()]
    else:
        named = [layout for layout in LAYOUTS if layout.name == override.format]
        if not named and override.format not in order_log.NAMES:
            names = ", ".join([*(layout.name for layout in LAYOUTS), *order_log.NAMES])
            raise MappingWrong(path=overrides.source, problem=f"format = {override.format!r} is none of {names}")
    fitting = [(layout, each) for layout in named if (each := layout.found(table, override))]
    chosen = max(fitting, key=lambda pair: len(set(pair[1].columns.values())), default=None)
    if chosen is not None:
        _require_known(chosen[0], table, overrides)
    return chosen


def _require_known(layout: Layout, table: TextTable, overrides: Overrides) -> None:
    """Raises MappingWrong for a role or a column that is not there."""
    for role, column in overrides.of(table.container.name).columns.items():
        if role not in layout.roles:
            raise MappingWrong(path=overrides.source, problem=f"{role!r} is none of {', '.join(layout.roles)}")
        if column not in table.columns:
            raise MappingWrong(
                path=overrides.source, problem=f"there is no column {column!r} in {table.container.name}"
            )


def _own(table: TextTable, overrides: Overrides, shop: Shop) -> Understood | None:
    override = overrides.of(table.container.name)
    if override.format is not None and not override.format.startswith(native.NAME):
        return None
    return native.recognise(table, override, shop)


def _require_something_of_each_file(
    understood: Sequence[Understood], skipped: Sequence[tuple[TextTable, SetiaError]]
) -> None:
    """A workbook may hold a sheet of explanations; a file of which nothing at all is understood is refused."""
    used = {part.table.container.given for each in understood for part in each.parts.values()}
    for table, problem in skipped:
        if table.container.given not in used:
            raise problem

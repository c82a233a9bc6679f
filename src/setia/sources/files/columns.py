"""The columns of one table under the roles of a layout, each read in the way its values are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from setia.kernel.i18n import N_, Sentence
from setia.sources.files.overrides import Override
from setia.sources.files.roles import Reading, Role
from setia.sources.files.table import Read, TextTable
from setia.sources.files.understood import Shop
from setia.sources.files.values import PLAIN, TimeStyle, amount_style, flags, marks, phones, time_style
from setia.warehouse.duck import literal, quoted


class Columns:
    """The roles of a layout in one table."""

    def __init__(
        self,
        table: TextTable,
        roles: Mapping[str, Role],
        columns: Mapping[str, str],
        shop: Shop,
        override: Override,
        zone: str | None,
    ) -> None:
        self.table = table
        self.columns = dict(columns)
        self._dates: dict[str, list[str]] = {}
        self._amounts: dict[str, list[str]] = {}
        self._doubts: list[str] = []
        self.currency_mark: str | None = None
        """The currency that the marks in the amounts name, as SQL over the reads; None where there are no marks."""
        self._roles = roles
        self._shop = shop
        self._override = override
        self._zone = override.zone or zone or shop.zone
        self._above = {role: value for role, known in roles.items() if (value := _beside(known, table.above))}
        self.reads: tuple[Read, ...] = (
            *(read for role, known in roles.items() for read in self._read(role, known)),
            Read("file_name", literal(Path(table.container.name.split(", ")[-1]).name)),
            Read("file_time", _written_at(table.container.given)),
        )
        """Every role as a typed column, null where the table lacks it."""
        self.carried = tuple(self.columns[role] for role, known in roles.items() if known.carried and role in columns)
        """Columns of the file whose empty cells mean the same as in the row above."""

    @property
    def notes(self) -> list[str]:
        """What had to be decided, as sentences: of columns that are written alike in one."""
        dates = [
            Sentence("Dates in {column} are read as {style}", column=", ".join(columns), style=Sentence(style))
            for style, columns in self._dates.items()
        ]
        amounts = [
            Sentence("Amounts in {column} are read as {style}", column=", ".join(columns), style=style)
            for style, columns in self._amounts.items()
        ]
        return [*dates, *dict.fromkeys(self._doubts), *amounts]

    @property
    def found(self) -> frozenset[str]:
        """The roles that the table has."""
        return frozenset(self.columns) | frozenset(self._above)

    def _read(self, role: str, known: Role) -> Iterator[Read]:
        if role in self._above:
            yield Read(role, literal(self._above[role]))
        elif role in self.columns:
            column = self.columns[role]
            if known.pattern is not None:
                yield Read(f"{role}_header", literal(column))
            yield from self._there(role, known, column)
        else:
            yield Read(role, f"null::{known.type}", required=known.required)
            if known.pattern is not None:
                yield Read(f"{role}_header", "null::varchar")
            if known.reading is Reading.MOMENT:
                yield Read(f"{role}_day", "null::date")
            if known.currency_in_header:
                yield Read(f"{role}_currency", "null::varchar")
            if known.reading is Reading.AMOUNT and known.money:
                yield Read(f"{role}_mark", "null::varchar")

    def _there(self, role: str, known: Role, column: str) -> Iterator[Read]:
        text = quoted(column)
        match known.reading:
            case Reading.MOMENT:
                yield from self._moment(role, known, column)
            case Reading.AMOUNT:
                yield from self._amount(role, known, column)
            case Reading.DAY:
                local = self._time_style(column).local(text, ZoneInfo(self._zone))
                yield Read(role, f"({local})::date", column, known.required, dashes=not known.required)
            case Reading.FLAG:
                yield Read(role, flags.flag_sql(text, (*flags.YES, *known.yes)), column)
            case Reading.EMAIL:
                address = f"case when contains({text}, '@') and not contains({text}, '*') then lower({text}) end"
                yield Read(role, address, column, known.required, lenient=True)
            case Reading.PHONE:
                number = phones.international_sql(text, self._shop.region)
                yield Read(role, number, column, known.required, lenient=True)
            case Reading.WORD:
                yield Read(role, f"lower({text})", column, known.required, lenient=True)
            case _:
                yield Read(role, text, column, known.required, lenient=True)

    def _moment(self, role: str, known: Role, column: str) -> Iterator[Read]:
        style, text, shop = self._time_style(column), quoted(column), ZoneInfo(self._shop.zone)
        zone = ZoneInfo(self._override.zone or known.zone or self._zone)
        name, day = quoted(role), f"{role}_day"
        if zone == shop and not style.offset:
            # A time of the shop's own clock is read once, and knows its day without going through UTC.
            local = f"{role}_local"
            yield Read(local, style.local(text, shop), column, known.required, dashes=not known.required)
            yield Read(role, f"timezone({literal(shop.key)}, {quoted(local)})", derived=True)
            yield Read(day, f"{quoted(local)}::date", derived=True)
        else:
            yield Read(role, style.instant(text, zone), column, known.required, dashes=not known.required)
            yield Read(day, f"timezone({literal(shop.key)}, {name})::date", derived=True)

    def _time_style(self, column: str) -> TimeStyle:
        if self._override.dates is not None:
            return TimeStyle((self._override.dates,))
        text = quoted(column)
        style = time_style(text, self.table.count, lambda each: self.table.count(each, whole=True))
        style = style or TimeStyle(offset=True, loose=True)
        _add(self._dates, style.described(), column)
        if self.table.loose:
            style = replace(style, loose=True)
        if style.ambiguous:
            doubt = N_("Day and month could be the other way round in every date: the day was taken to come first")
            self._doubts.append(doubt)
        return style

    def _amount(self, role: str, known: Role, column: str) -> Iterator[Read]:
        text = quoted(column)
        style = self._override.amounts
        if style is None:
            whole = None if not known.money else lambda each: self.table.count(each, whole=True)
            style = amount_style(text, self.table.count, money=known.money, whole=whole) or PLAIN
        if style != PLAIN:
            _add(self._amounts, style.name, column)
        yield Read(role, style.parsed(text), column, known.required)
        if known.currency_in_header:
            code = re.search(r"\(([A-Za-z]{3})\)", column)
            yield Read(f"{role}_currency", literal(code.group(1).upper() if code else None) + "::varchar")
        if known.money:
            marked = marks.seen(text, self.table.count)
            yield Read(f"{role}_mark", marks.currency_sql(text, self._shop.currency) if marked else "null::varchar")
            if marked and self.currency_mark is None:
                self.currency_mark = quoted(f"{role}_mark")


def _add(styles: dict[str, list[str]], style: str, column: str) -> None:
    if column not in styles.setdefault(style, []):
        styles[style].append(column)


def _written_at(path: Path) -> str:
    """When a file was written: what an export without dates says, held then."""
    return literal(dt.datetime.fromtimestamp(int(path.stat().st_mtime), dt.UTC))


def _beside(role: Role, above: list[list[str]]) -> str | None:
    """The cell to the right of a label in the lines above the header."""
    if role.reading is not Reading.ABOVE:
        return None
    for record in above:
        if record and any(record[0].lower().startswith(label.lower()) for label in role.headers):
            beside = [cell for cell in record[1:] if cell]
            return beside[0] if beside else record[0]
    return None

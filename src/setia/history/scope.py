"""What figures hold for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from setia.history.calendar import Calendar
from setia.kernel.errors import SetiaError
from setia.settings import CustomerSettings, MetricSettings


class NoDay(SetiaError):
    """`as_of` is {given}; it takes a day between 1900 and 2200 such as date(2026, 1, 31), without a time."""

    code = "history.no_day"


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that happened on shop-local days before `as_of`, in one currency, counted as the shop has chosen.

    Raises NoDay.
    """

    as_of: dt.date
    currency: str
    time_zone: str
    choices: MetricSettings = field(default_factory=MetricSettings)
    margin: Decimal = Decimal("0.4")
    """Gross margin as a share of net sales."""
    calendar: Calendar = field(default_factory=Calendar)
    rules: CustomerSettings = field(default_factory=CustomerSettings)
    """How customers are judged."""

    def __post_init__(self) -> None:
        plain = isinstance(self.as_of, dt.date) and not isinstance(self.as_of, dt.datetime)
        if not plain or not 1900 <= self.as_of.year <= 2200:
            raise NoDay(given=repr(self.as_of))

    @property
    def until(self) -> dt.datetime:
        """The first moment that no longer counts: midnight in the shop when `as_of` begins, in UTC."""
        return self.midnight(self.as_of)

    @property
    def last_day(self) -> dt.date:
        """The last day that counts."""
        return self.as_of - dt.timedelta(days=1)

    def midnight(self, day: dt.date) -> dt.datetime:
        """The moment at which a day begins in the shop, in UTC."""
        return dt.datetime.combine(day, dt.time(), ZoneInfo(self.time_zone)).astimezone(dt.UTC)

    def day_of(self, moment: dt.datetime) -> dt.date:
        """The day in the shop on which a moment lies."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def at(self, as_of: dt.date) -> Scope:
        """The same as of another day."""
        return replace(self, as_of=as_of)

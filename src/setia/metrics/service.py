"""The metrics of one shop, asked by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.metrics.answer import Answer
from setia.metrics.attributes import By, unknown_attribute
from setia.metrics.catalogue import METRICS, metric
from setia.metrics.measure import ALL, Measure
from setia.metrics.metric import Metric
from setia.metrics.options import BadOption, checked

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

Open = Callable[[], AbstractContextManager["Snapshot"]]
MakeScope = Callable[[Any, dt.date | None], Scope]
Ask = Callable[..., Answer]


class NobodyBehind(SetiaError):
    """The customers behind {part} of {metric} cannot be listed. {hint}."""

    code = "metrics.nobody_behind"


class NoSuchGroup(SetiaError):
    """{metric} has no group {group} there. Its groups are {choices}."""

    code = "metrics.no_such_group"


class NoSuchPeriod(SetiaError):
    """{metric} has no period that begins on {day}. With these options its periods begin on {choices}."""

    code = "metrics.no_such_period"


class Metrics:
    """Each metric is a method: `shop.metrics.retention(as_of=…, every="month", by="source")`.

    `as_of` is a shop-local day, by default the day after the last recorded one; the other options are the metric's
    own. `dir(shop.metrics)` names them all, the reference describes them.
    """

    def __init__(self, reading: Open, scope: MakeScope) -> None:
        self._reading = reading
        self._scope = scope

    def __dir__(self) -> list[str]:
        return ["all", "ask", "customers", *METRICS]

    def __getattr__(self, name: str) -> Ask:
        if name.startswith("_"):
            raise AttributeError(name)
        known = metric(name)

        def ask(*, as_of: dt.date | None = None, **options: Any) -> Answer:
            return self.ask(name, as_of=as_of, **options)

        ask.__name__, ask.__doc__ = name, f"{known.title}: {known.formula}."
        return ask

    def ask(self, name: str, *, as_of: dt.date | None = None, **options: Any) -> Answer:
        """One metric's answer. Raises UnknownMetric, UnknownOption, BadOption and what the metric itself raises."""
        known = metric(name)
        with self._reading() as facts:
            return known.ask(facts, self._scope(facts, as_of), **options)

    def all(self, names: Sequence[str] = (), *, as_of: dt.date | None = None, **options: Any) -> list[Answer]:
        """Several metrics, by default every one, from one snapshot.

        Each takes those of the options that it has, and `by` where it can be broken down by that. Raises UnknownMetric,
        UnknownOption and UnknownAttribute for what none of them has.
        """
        wanted = [metric(name) for name in names or METRICS]
        every: dict[str, Any] = {}
        for each in wanted:
            every |= each.options()
        given = checked("any of them", every, options)
        by = given.pop("by", None)
        if by is not None and not any(each.divides(by) for each in wanted):
            choices = dict.fromkeys(name for each in wanted for name in each.groups())
            raise unknown_attribute(by if isinstance(by, str) else by.name, list(choices))
        with self._reading() as facts:
            scope = self._scope(facts, as_of)
            return [each.ask(facts, scope, **_own(each, given, by)) for each in wanted]

    def customers(
        self,
        name: str,
        part: str,
        *,
        as_of: dt.date | None = None,
        period_from: dt.date | None = None,
        group: Any = ALL,
        **options: Any,
    ) -> list[str]:
        """The customers behind one count of a measure, sorted: `customers("retention", "lost")`.

        The options are those with which the measure was asked; `period_from` and `group` name a row of its table, by
        default the newest complete window and everybody. Raises NobodyBehind for what is no count of customers,
        NoSuchPeriod and NoSuchGroup.
        """
        known = metric(name)
        if not isinstance(known, Measure):
            raise NobodyBehind(
                metric=name, part=part, hint="Only the counts of a measure can; this is a table of its own"
            )
        countable = [each.name for each in known.parts if each.kind == "count"]
        if part not in countable:
            raise NobodyBehind(metric=name, part=part, hint=f"Choose one of {', '.join(countable)}")
        given = checked(name, known.options(), options)
        by = given.get("by")
        if group is not ALL and by is None:
            raise BadOption(name="group", given=repr(group), takes="a group's name, and `by` with it")
        if period_from is not None and not isinstance(period_from, dt.date):
            raise BadOption(name="period_from", given=repr(period_from), takes="a day such as date(2026, 1, 31)")
        with self._reading() as facts:
            scope = self._scope(facts, as_of)
            shown = known.shown(scope, given.get("window_days"), given.get("every"), given.get("last"))
            window = known.newest(scope, shown)
            if period_from is not None:
                starts = {each.since: each for each in shown}
                if period_from not in starts:
                    choices = ", ".join(str(day) for day in starts)
                    raise NoSuchPeriod(metric=name, day=str(period_from), choices=choices)
                window = starts[period_from]
            if by is not None and group is not ALL:
                groups = [each for _window, each in known.sums(facts, scope, [window], by)]
                if group not in groups:
                    raise NoSuchGroup(
                        metric=name, group=str(group), choices=", ".join(sorted(map(str, groups))) or "none"
                    )
            return known.customers(facts, scope, part, window, by, group)


def _own(known: Metric, options: dict[str, Any], by: str | By | None) -> dict[str, Any]:
    own = {name: given for name, given in options.items() if name in known.options()}
    return {**own, "by": by} if by is not None and known.divides(by) else own

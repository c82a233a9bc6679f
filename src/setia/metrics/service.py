"""The metrics of one shop, asked by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.history.windows import Window
from setia.kernel.errors import SetiaError
from setia.metrics.answer import Answer
from setia.metrics.attributes import By
from setia.metrics.catalogue import METRICS, metric
from setia.metrics.measure import ALL, Measure

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

Open = Callable[[], AbstractContextManager["Snapshot"]]
MakeScope = Callable[[Any, dt.date | None], Scope]
Ask = Callable[..., Answer]


class UnknownOption(SetiaError):
    """The metric {metric} has no option {name}. Its options are {choices}."""

    code = "metrics.unknown_option"


class NobodyBehind(SetiaError):
    """The customers behind {part} of {metric} cannot be listed. Choose one of {choices}."""

    code = "metrics.nobody_behind"


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
        """One metric's answer. Raises UnknownMetric, UnknownOption and what the metric itself raises."""
        known = metric(name)
        _checked(name, options)
        with self._reading() as facts:
            return known.ask(facts, self._scope(facts, as_of), **options)

    def all(self, names: Sequence[str] = (), *, as_of: dt.date | None = None, **options: Any) -> list[Answer]:
        """Several metrics, by default every one, from one snapshot; each takes those of the options that it has."""
        wanted = [metric(name) for name in names or METRICS]
        with self._reading() as facts:
            scope = self._scope(facts, as_of)
            return [
                each.ask(facts, scope, **{key: value for key, value in options.items() if key in each.options()})
                for each in wanted
            ]

    def customers(
        self,
        name: str,
        part: str,
        *,
        as_of: dt.date | None = None,
        period_from: dt.date | None = None,
        period_until: dt.date | None = None,
        by: str | By | None = None,
        group: Any = ALL,
    ) -> list[str]:
        """The customers behind one count of a measure, sorted: `customers("retention", "lost")`.

        `period_from` and `period_until` name a row of the measure's table, by default the newest window. Raises
        NobodyBehind for what is no count of customers.
        """
        known = metric(name)
        countable = [each.name for each in known.parts if each.kind == "count"] if isinstance(known, Measure) else []
        if not isinstance(known, Measure) or part not in countable:
            raise NobodyBehind(metric=name, part=part, choices=", ".join(countable) or "a measure instead")
        with self._reading() as facts:
            scope = self._scope(facts, as_of)
            (window,) = known.shown(scope, None, None, None)
            if period_from is not None and period_until is not None:
                window = Window(period_from, period_until)
            return known.customers(facts, scope, part, window, by, group)


def _checked(name: str, options: dict[str, Any]) -> None:
    known = metric(name).options()
    for option in options:
        if option not in known:
            raise UnknownOption(metric=name, name=option, choices=", ".join(known))

"""Every metric against the query that was written for it by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from setia.history.scope import Scope
from setia.history.windows import Window
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import ALL, Measure

Check = Callable[..., list[dict[str, Any]]]


def windows_of(scope: Scope) -> list[Window]:
    """A short one and a long one, the calendar month under way, and one that lies wholly in the past."""
    last = scope.last_day
    return [
        Window.ending(scope.as_of, 30),
        Window.ending(scope.as_of, 180),
        Window.ending(scope.as_of - dt.timedelta(days=60), 90),
        Window(last.replace(day=1), (last.replace(day=1) + dt.timedelta(days=32)).replace(day=1), "month"),
    ]


def parameters(scope: Scope, window: Window) -> dict[str, Any]:
    return {
        "since": window.since,
        "until": window.until,
        "before": window.before().since,
        "opens": scope.midnight(window.since),
        "closes": scope.midnight(window.until),
        "event": scope.choices.activation_event,
        "days": scope.choices.activation_days,
        "minutes": scope.choices.visit_ends_after_minutes,
    }


def measures_agree(reader: Any, scope: Scope, check: Check, windows: list[Window]) -> None:
    for measure in METRICS.values():
        if isinstance(measure, Measure):
            cells = measure.sums(reader, scope, windows)
            for place, window in enumerate(windows):
                parts = cells.get((place, ALL)) or measure.nothing()
                (expected,) = check(reader, measure, scope, **parameters(scope, window))
                named = {part.name: expected[part.name] for part in measure.parts}
                other = {name: (parts[name], named[name]) for name in named if parts[name] != named[name]}
                assert other == {}, (measure.name, window)


def listings_agree(reader: Any, scope: Scope, check: Check) -> None:
    for name, compare in LISTINGS.items():
        compare(reader, scope, check, METRICS[name])


def _cohorts(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
    answer = metric.ask(reader, scope, most_cohorts=62)
    cells = {(row["cohort"], row["age"]): row for row in answer.rows()}
    expected = {(row["cohort"], row["age"]): row["customers"] for row in check(reader, metric, scope)}
    assert {key: row["customers"] for key, row in cells.items() if row["customers"]} == expected
    for (cohort, _age), row in cells.items():
        assert row["size"] == expected[cohort, 0]
        assert row["mature"] == (row["share"] is not None)
    assert (answer.reason == "no_customers") == (not cells)
    slow = metric.ask(reader, scope, most_cohorts=63)
    assert {(r["cohort"], r["age"]): r["customers"] for r in slow.rows() if r["customers"]} == expected


def _curve(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
    answer = metric.ask(reader, scope)
    expected = check(reader, metric, scope, event=scope.choices.activation_event)
    rows = answer.rows()
    assert [(r["days"], r["at_risk"], r["ended"]) for r in rows] == [
        (r["days"], r["at_risk"], r["ended"]) for r in expected
    ]
    assert [r["survival"] for r in rows] == pytest.approx([r["survival"] for r in expected], abs=1e-9)
    assert answer.value == next((r["days"] for r in expected if r["survival"] <= 0.5 + 1e-9), None)


def _next_order(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
    rows = metric.ask(reader, scope).rows()
    found = [{name: row[name] for name in ("purchases", "customers", "bought_again")} for row in rows]
    assert found == check(reader, metric, scope)


def _lifetime_value(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
    rows = metric.ask(reader, scope, most_cohorts=62).rows()
    expected = {(r["cohort"], r["age"]): r["amount"] for r in check(reader, metric, scope) if r["amount"]}
    assert {(r["cohort"], r["age"]): r["amount"] for r in rows if r["amount"]} == expected
    for row in rows:
        until = [amount for (cohort, age), amount in expected.items() if cohort == row["cohort"] and age <= row["age"]]
        assert row["cumulative"] == sum(until)
        assert row["per_customer"] == pytest.approx(row["cumulative"] / row["size"], abs=Decimal("0.0001"))


def _payback(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
    rows = {row["cohort"]: row for row in metric.ask(reader, scope).rows()}
    for expected in check(reader, metric, scope):
        if expected["cohort"] in rows:
            row = rows[expected["cohort"]]
            assert (row["customers"], row["cost"]) == (expected["customers"], expected["cost"])


def _in_window(days: int) -> Any:
    def compare(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
        answer = metric.ask(reader, scope, window_days=days)
        expected = check(reader, metric, scope, **parameters(scope, Window.ending(scope.as_of, days)))
        names = [name for name in expected[0] if name in answer.table.column_names] if expected else []
        if names and metric.name in ("costs", "leaving_reasons"):
            key = str
            assert sorted(({n: r[n] for n in names} for r in answer.rows()), key=key) == sorted(expected, key=key)
        elif metric.name not in ("costs", "leaving_reasons"):
            (row,) = expected
            assert {name: answer.figures[name] for name in row} == pytest.approx(row)
        else:
            assert not answer.rows()

    return compare


def _reachable(reader: Any, scope: Scope, check: Check, metric: Any) -> None:
    answer = metric.ask(reader, scope)
    (expected,) = check(reader, metric, scope)
    if expected["customers"]:
        assert {row["channel"]: row["reachable"] for row in answer.rows()} == {
            name: expected[name] for name in ("any", "email", "whatsapp", "sms")
        }
    assert answer.figures["customers"] == expected["customers"]


LISTINGS: dict[str, Callable[[Any, Scope, Check, Any], None]] = {
    "cohorts": _cohorts,
    "time_between_purchases": _curve,
    "time_to_first_order": _curve,
    "time_to_activation": _curve,
    "next_order": _next_order,
    "lifetime_value": _lifetime_value,
    "payback": _payback,
    "leaving_reasons": _in_window(180),
    "costs": _in_window(180),
    "first_response": _in_window(180),
    "resolution": _in_window(180),
    "reachable": _reachable,
}

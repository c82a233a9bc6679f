"""Service: how soon customers get an answer, and how soon their case is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.history.windows import Window
from setia.kernel.i18n import N_
from setia.metrics.answer import Answer, as_table
from setia.metrics.metric import Listing
from setia.metrics.populations import CASES
from setia.metrics.survival import SurvivalCurve
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

OWN = ("channel", "reason")
COLUMNS = ("cases", "done", "median_hours", "within_24_hours", "mean_of_done_hours")


def first_response(facts: Snapshot, scope: Scope, *, window_days: int = 90, by: str | None = None) -> Answer:
    """Hours from a customer's question to the first answer of a person, by survival curve.

    `by`: `channel` or `reason` of the case. `table`: one row per group: `cases`, `done` (answered), `median_hours`,
    `within_24_hours` (share), `mean_of_done_hours` (what most tools print; it leaves out whoever still waits).
    """
    return _lasting("first_response", facts, scope, "first_response_at", window_days, by)


def resolution(facts: Snapshot, scope: Scope, *, window_days: int = 90, by: str | None = None) -> Answer:
    """Hours from a customer's question until the case was settled, by survival curve. As `first_response`."""
    return _lasting("resolution", facts, scope, "resolved_at", window_days, by)


def _lasting(name: str, facts: Snapshot, scope: Scope, column: str, window_days: int, by: str | None) -> Answer:
    import ibis

    window = Window.ending(scope.as_of, window_days)
    cases: Any = facts.table("cases")
    cases = cases.filter(cases.day >= window.since, cases.day < window.until)
    until = ibis.literal(scope.until, type="timestamp('UTC')")
    done = (cases[column] < until).fill_null(False)
    end = ibis.ifelse(done, cases[column], until)
    minutes = ibis.greatest(end.epoch_seconds() - cases.opened_at.epoch_seconds(), 0) // 60
    rows = cases.select(group=cases[by] if by else ibis.null("string"), minutes=minutes.cast("int64"), done=done)
    counted = rows.group_by("group", "minutes").aggregate(
        ended=rows.count(where=rows.done), open=rows.count(where=~rows.done)
    )
    by_group: dict[Any, list[dict[str, Any]]] = {}
    found = listed(facts, counted)
    for row in found:
        by_group.setdefault(row["group"], []).append(row)
    table = [
        {"group": group, **_figures(own)}
        for group, own in sorted(by_group.items(), key=lambda item: (item[0] is None, str(item[0])))
    ]
    total = _figures(found)
    figures = {"value": total["median_hours"], **total, "window_days": window_days}
    reason = None if figures["value"] is not None else "median_not_reached" if found else "no_cases"
    columns = COLUMNS if by is None else ("group", *COLUMNS)
    return Answer(name, scope, figures, as_table(table, columns), reason)


def _figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    curve = SurvivalCurve.from_counts((row["minutes"], row["ended"], row["open"]) for row in rows)
    done, median = sum(curve.ended), curve.quantile(0.5)
    total = sum(minutes * ended for minutes, ended in zip(curve.days, curve.ended, strict=True))
    return {
        "cases": curve.at_risk[0] if curve.at_risk else 0,
        "done": done,
        "median_hours": median / 60 if median is not None else None,
        "within_24_hours": curve.reached(24 * 60),
        "mean_of_done_hours": total / done / 60 if done else None,
    }


FIRST_RESPONSE = Listing(
    name="first_response",
    title=N_("Time to first answer"),
    formula=N_("Median of the survival curve from a customer's question to the first answer of a person"),
    unit="hours",
    population=CASES,
    better="lower",
    source="Kaplan & Meier 1958; cases still waiting count for as long as they have waited",
    needs=("cases",),
    answers=first_response,
    own=OWN,
    of_customers=False,
)
RESOLUTION = Listing(
    name="resolution",
    title=N_("Time to resolve"),
    formula=N_("Median of the survival curve from a customer's question until the case was settled"),
    unit="hours",
    population=CASES,
    better="lower",
    source="Kaplan & Meier 1958; open cases count for as long as they have been open",
    needs=("cases",),
    answers=resolution,
    own=OWN,
    of_customers=False,
)
CARING = (FIRST_RESPONSE, RESOLUTION)

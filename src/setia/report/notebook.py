"""One metric's answer in a notebook: its figures, the first rows, and a drawing where there is an obvious one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from setia.kernel.figure import Column, Figure
from setia.kernel.i18n import Speaker
from setia.report.cells import is_missing
from setia.report.drawing import svg
from setia.report.elements import joined, tag

if TYPE_CHECKING:
    from setia.metrics.answer import Answer

MOST_ROWS = 20
_STYLE = """
.setia-answer .drawing{display:block;box-sizing:border-box;width:100%;max-width:720px;padding:0 12px 0 60px}
.setia-answer text{font:12px sans-serif}
.setia-answer .slim{display:none}
.setia-answer .rule,.setia-answer .zero{opacity:.25}
.setia-answer .line{stroke:#178a83}
.setia-answer .area{fill:#178a83;opacity:.12}
.setia-answer .dot{fill:#178a83}
.setia-answer dl{display:grid;grid-template-columns:max-content auto;gap:.1em 1.5em;margin:.6em 0}
.setia-answer dt,.setia-answer dd{margin:0;font-weight:400}
"""


def show(answer: Answer) -> str:
    """The answer as HTML: names as in Python, values as plain as they can be read."""
    speaker = Speaker.of("en", answer.scope.currency)
    return tag(
        "div",
        tag("style", Markup(_STYLE)),
        tag("p", tag("strong", answer.metric), f" before {answer.scope.as_of}, {answer.scope.time_zone}"),
        tag("dl", *(joined(tag("dt", k), tag("dd", _value(v, speaker))) for k, v in _figures(answer).items())),
        svg(_drawn(answer), speaker),
        _table(answer, speaker),
        class_="setia-answer",
    )


def _figures(answer: Answer) -> dict[str, Any]:
    return {**answer.figures, "reason": answer.reason} if answer.reason else answer.figures


def _table(answer: Answer, speaker: Speaker) -> str:
    names: list[str] = answer.table.column_names
    rows = answer.table.slice(0, MOST_ROWS).to_pylist()
    body = [tag("tr", *(tag("td", _value(row[name], speaker)) for name in names)) for row in rows]
    count = answer.table.num_rows
    shown = f"{min(count, MOST_ROWS)} of {count} rows"
    return joined(
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names))),
            tag("tbody", *body),
        ),
        tag("p", tag("small", shown)),
    )


def _value(value: Any, speaker: Speaker) -> str:
    if is_missing(value):
        return speaker.missing
    if isinstance(value, float):
        return speaker.number(value, 3 if abs(value) < 10 else 1)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _drawn(answer: Answer) -> Figure:
    """The figure to draw: a survival curve, or retention by age over all cohorts; without a mark for others."""
    if answer.metric == "time_between_purchases" and answer.table.num_rows:
        rows = [{"days": 0, "survival": 1.0}, *answer.table.select(["days", "survival"]).to_pylist()]
        columns = (Column("days", "days", "days"), Column("survival", "survival", "percent"))
        return Figure(
            answer.metric, answer.metric, "", columns, rows, "line", x="days", series=("survival",), stepped=True
        )
    if answer.metric == "cohorts":
        columns = (Column("age", "age", "count"), Column("share", "share", "percent"))
        rows = _pooled(answer.table.to_pylist())
        return Figure(answer.metric, answer.metric, "", columns, rows, "line", x="age", series=("share",))
    return Figure(answer.metric, answer.metric, "", (), [])


def _pooled(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Share per month of age over all mature cells, weighted by the cohorts' sizes; age 0 is all of them."""
    sums: dict[int, list[int]] = {}
    for cell in cells:
        if cell["mature"] and cell["age"] > 0:
            total = sums.setdefault(cell["age"], [0, 0])
            total[0] += cell["customers"]
            total[1] += cell["size"]
    return [{"age": age, "share": total[0] / total[1]} for age, total in sorted(sums.items()) if total[1]]

"""One row per answer to a survey."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

ANSWERS = FactTable(
    name="answers",
    version=2,
    meaning="One row per answer to a survey.",
    key=("answer_id",),
    month_of="day",
    person=("customer_id",),
    one_row=True,
    fields=(
        Field("answer_id", Kind.TEXT, "Key of the answer", required=True),
        Field("customer_id", Kind.TEXT, "Who answered"),
        Field("survey", Kind.TEXT, "Which survey: nps, csat, ces …", required=True),
        Field("score", Kind.INTEGER, "The figure given"),
        Field("scale", Kind.INTEGER, "Highest figure possible"),
        Field("choice", Kind.TEXT, "The option chosen, where the question has some: a reason for leaving"),
        Field("comment", Kind.TEXT, "Words given"),
        Field("answered_at", Kind.INSTANT, "When", required=True),
        Field("day", Kind.DAY, "Day of `answered_at` in the shop's time zone", default="answered_at"),
    ),
)

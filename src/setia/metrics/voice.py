"""What customers say: recommendation, satisfaction, ease, and why they leave."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from setia.history.running import paid_rows
from setia.history.scope import Scope
from setia.history.windows import Spans, Window
from setia.kernel.i18n import N_
from setia.kernel.statistics import Interval, critical_value
from setia.metrics.answer import Answer, Number, as_table
from setia.metrics.measure import Measure
from setia.metrics.metric import Formula, Listing, Part, Parts, share
from setia.metrics.populations import ANSWERERS
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

LEAVING = "leaving"
"""The survey in which those who leave say why."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A question that is answered with a whole number."""

    name: str
    lowest: int
    highest: int
    """Where an answer names no scale of its own."""
    one_scale: bool = False
    """Whether an answer on another scale is not an answer to the same question."""

    def valid(self, facts: Snapshot, scope: Scope) -> Any:
        """Answers before `as_of` with the scale they are `out_of`; a number that its scale does not have is none."""
        given: Any = facts.table("answers")
        given = given.filter(given.survey == self.name, given.day < scope.as_of)
        given = given.mutate(out_of=given.scale.fill_null(self.highest))
        given = given.filter(given.score >= self.lowest, given.score <= given.out_of)
        return given.filter(given.out_of == self.highest) if self.one_scale else given

    def answers(self, facts: Snapshot, scope: Scope, spans: Spans) -> Any:
        """The latest answer of each customer in each window, nameless ones all, and the messages that asked for one."""
        import ibis

        given: Any = spans.during(self.valid(facts, scope))
        given = given.mutate(who=given.customer_id.fill_null(given.answer_id))
        own = ibis.window(
            group_by=["window", "who"], order_by=[ibis.desc(given.answered_at), ibis.desc(given.answer_id)]
        )
        ranked = given.mutate(place=ibis.row_number().over(own))
        latest = ranked.filter(ranked.place == 0)
        said = latest.select("window", "customer_id", "score", "out_of", answers=True, asked=False)
        sent: Any = facts.table("messages")
        sent = spans.during(sent.filter(sent.survey == self.name, sent.state != "rejected", sent.day < scope.as_of))
        nothing = ibis.null("int64")
        asking = sent.select("window", "customer_id", score=nothing, out_of=nothing, answers=False, asked=True)
        return said.union(asking)


RECOMMENDATION = Survey("nps", 0, 10, one_scale=True)
SATISFACTION = Survey("csat", 1, 5)
EASE = Survey("ces", 1, 7)


def recommendations(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """Answers from 0 to 10 to whether they would recommend the shop."""
    rows = RECOMMENDATION.answers(facts, scope, spans)
    return rows.select(
        "window",
        "customer_id",
        "asked",
        "answers",
        promoters=(rows.answers & (rows.score >= 9)).fill_null(False),
        passives=(rows.answers & (rows.score >= 7) & (rows.score <= 8)).fill_null(False),
        detractors=(rows.answers & (rows.score <= 6)).fill_null(False),
    )


def satisfaction(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """Answers on a scale from 1; satisfied from four fifths of it up: 4 and 5 of 5, 6 and 7 of 7, 8 to 10 of 10."""
    rows = SATISFACTION.answers(facts, scope, spans)
    satisfied = rows.answers & (rows.score * 5 >= rows.out_of * 4)
    return rows.select("window", "customer_id", "asked", "answers", satisfied=satisfied.fill_null(False))


def ease(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """Answers on a scale from 1; easy from two thirds of the way up: 5 to 7 of 7, 4 and 5 of 5."""
    rows = EASE.answers(facts, scope, spans)
    easy = rows.answers & ((rows.score - 1) * 3 >= (rows.out_of - 1) * 2)
    return rows.select("window", "customer_id", "asked", "answers", easy=easy.fill_null(False))


def nps(parts: Parts) -> float | None:
    """100 × (promoters − detractors) ÷ answers, from −100 to 100."""
    return 100 * (parts["promoters"] - parts["detractors"]) / parts["answers"] if parts["answers"] else None


def nps_interval(parts: Parts) -> Interval:
    """The adjusted-Wald interval: three answers more, of which three quarters are a promoter and three quarters a
    detractor (Rocks 2016; Sauro and Lewis)."""
    n = parts["answers"] + 3
    p, d = (parts["promoters"] + 0.75) / n, (parts["detractors"] + 0.75) / n
    reach = critical_value() * sqrt(max(0.0, p + d - (p - d) ** 2) / n)
    return Interval(max(-100.0, 100 * (p - d - reach)), min(100.0, 100 * (p - d + reach)))


def _response_rate(parts: Parts, _window: Window) -> dict[str, Number | None]:
    return {"response_rate": min(1.0, parts["answers"] / parts["asked"]) if parts["asked"] else None}


ANSWERS, ASKED = Part("answers", N_("Answers")), Part("asked", N_("Asked"))
NPS = Measure(
    name="nps",
    title=N_("Net promoter score (NPS)"),
    formula=N_("100 × (answers 9–10 − answers 0–6) ÷ answers, from −100 to 100"),
    unit="score",
    population=ANSWERERS,
    better="higher",
    source="Reichheld 2003; adjusted-Wald interval, Rocks 2016",
    needs=("answers",),
    rows=recommendations,
    parts=(
        ANSWERS,
        Part("promoters", N_("9–10")),
        Part("passives", N_("7–8")),
        Part("detractors", N_("0–6")),
        ASKED,
    ),
    formula_of=Formula(nps, "no_answers", nps_interval),
    window_days=90,
    also=_response_rate,
)
CSAT = Measure(
    name="csat",
    title=N_("Satisfaction score (CSAT)"),
    formula=N_("Answers from four fifths of their scale up (4 and 5 of 5) ÷ answers"),
    unit="share",
    population=ANSWERERS,
    better="higher",
    source="Field's standard: top two of five; the scale is kept with each answer",
    needs=("answers",),
    rows=satisfaction,
    parts=(ANSWERS, Part("satisfied", N_("Satisfied")), ASKED),
    formula_of=share("satisfied", "answers", "no_answers"),
    window_days=90,
    also=_response_rate,
)
CES = Measure(
    name="ces",
    title=N_("Ease score (CES)"),
    formula=N_("Answers from two thirds of the way up their scale (5 to 7 of 7) ÷ answers; high is easy"),
    unit="share",
    population=ANSWERERS,
    better="higher",
    source="Customer effort score, second version (Dixon, Toman, DeLisi 2013), asked as ease",
    needs=("answers",),
    rows=ease,
    parts=(ANSWERS, Part("easy", N_("Found it easy")), ASKED),
    formula_of=share("easy", "answers", "no_answers"),
    window_days=90,
    also=_response_rate,
)


def leaving_reasons(facts: Snapshot, scope: Scope, *, window_days: int = 365) -> Answer:
    """Why customers left in the window: reasons of ended subscriptions and answers to the survey `leaving`.

    `table`: one row per reason: `reason` (null where none was given), `customers`, `share` (of those who gave one).
    The headline is the share of the first.
    """
    window = Window.ending(scope.as_of, window_days)
    answers: Any = facts.table("answers")
    said = answers.filter(answers.survey == LEAVING, answers.day >= window.since, answers.day < window.until)
    said = said.select(who=said.customer_id.fill_null(said.answer_id), reason="choice")
    both = _ended(facts, scope, window).union(said).distinct()
    marked = both.group_by("who").mutate(told=both.reason.notnull().any())
    (found,) = listed(facts, marked.aggregate(left=marked.who.nunique(), told=marked.who.nunique(where=marked.told)))
    given = marked.filter(marked.reason.notnull() | ~marked.told)
    counted = given.group_by("reason").aggregate(customers=given.count())
    rows = sorted(
        listed(facts, counted), key=lambda row: (row["reason"] is None, -row["customers"], row["reason"] or "")
    )
    left, told = found["left"], found["told"]
    for row in rows:
        row["share"] = row["customers"] / told if row["reason"] is not None else None
    first = rows[0]["share"] if rows else None
    figures = {"value": first, "left": left, "with_reason": told, "window_days": window_days}
    reason = None if told else "no_reasons" if left else "nobody_left"
    return Answer("leaving_reasons", scope, figures, as_table(rows, ("reason", "customers", "share")), reason)


def _ended(facts: Snapshot, scope: Scope, window: Window) -> Any:
    """Who stopped paying in a window (`who`) and the `reason`; nobody stops while another of their plans runs on."""
    import ibis

    paid: Any = paid_rows(facts, scope)
    closes = ibis.literal(scope.midnight(window.until), type="timestamp('UTC')")
    paid = paid.filter(paid.paid_from < closes, (paid.monthly > 0).fill_null(True))
    paid = paid.mutate(who=paid.customer_id.fill_null(paid.subscription_id))
    ended = paid.filter(paid.ended_at >= scope.midnight(window.since), paid.ended_at < closes)
    others = paid.select(other="who", goes_from="paid_from", goes_until="ended_at")
    runs_on = [
        ended.who == others.other,
        ended.ended_at >= others.goes_from,
        others.goes_until.isnull() | (others.goes_until > ended.ended_at),
    ]
    return ended.anti_join(others, runs_on).select("who", "reason")


LEAVING_REASONS = Listing(
    name="leaving_reasons",
    title=N_("Reasons for leaving"),
    formula=N_("Customers who left for the reason that most gave ÷ those who left in the window and gave one"),
    unit="share",
    population=N_(
        "Subscribers who ended theirs and whoever answered the survey on leaving; several reasons each count"
    ),
    better="neither",
    source="The shop's own words",
    needs=("subscriptions", "answers"),
    answers=leaving_reasons,
)
VOICE = (NPS, CSAT, CES, LEAVING_REASONS)

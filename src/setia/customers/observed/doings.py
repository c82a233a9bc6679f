"""What somebody does besides buying: visits, what they make of messages, what they say, what they subscribe to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.customers.trait import Family, Trait, days_since, told, within
from setia.history.exchange import in_own_currency
from setia.history.running import paid_rows
from setia.history.scope import Scope
from setia.history.visits import seen_events, sessions
from setia.kernel.i18n import N_
from setia.metrics.voice import RECOMMENDATION, SATISFACTION, Survey

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

RECENT_DAYS = 90
"""Days before `as_of` in which visits are told apart; of older ones only the last day is known."""


def _recent_visits(facts: Snapshot, scope: Scope) -> Any:
    # A day more, so that a visit that goes on into the days is not taken to begin with them.
    return sessions(facts, scope, scope.as_of - dt.timedelta(days=RECENT_DAYS + 1))


def _visits_before(rows: Any, scope: Scope) -> Any:
    return within(60)(rows, scope) - within(30)(rows, scope)


VISITS = Family(
    _recent_visits,
    (
        Trait("visits_7d", "integer", N_("Visits in the last 7 days"), within(7), otherwise=0),
        Trait("visits_30d", "integer", N_("Visits in the last 30 days"), within(30), otherwise=0),
        Trait("visits_90d", "integer", N_("Visits in the last 90 days"), within(90), otherwise=0),
        Trait("visits_30d_before", "integer", N_("Visits in the 30 days before those"), _visits_before, otherwise=0),
    ),
)
SEEN = Family(
    seen_events,
    (
        Trait(
            "days_since_last_visit",
            "integer",
            N_("Days since the last visit or other event"),
            days_since("day"),
            ages=True,
        ),
    ),
)


PAYMENT_FAILED = "Payment Failed"
"""The event by which a shop or its payment provider says that a charge did not go through."""


def _failures(facts: Snapshot, scope: Scope) -> Any:
    events: Any = seen_events(facts, scope)
    return events.filter(events.name == PAYMENT_FAILED)


def _referrals(facts: Snapshot, scope: Scope) -> Any:
    events: Any = seen_events(facts, scope)
    return events.filter(events.name == scope.rules.referral_event)


PAYMENTS = Family(
    _failures,
    (
        Trait(
            "payment_failures_90d", "integer", N_("Payments that failed in the last 90 days"), within(90), otherwise=0
        ),
    ),
)
REFERRALS = Family(
    _referrals,
    (Trait("referrals", "integer", N_("Friends they have brought"), lambda rows, _: rows.count(), otherwise=0),),
)


def _messages(facts: Snapshot, scope: Scope) -> Any:
    """Messages handed over before `as_of`, and what had become of them by then."""
    import ibis

    sent: Any = facts.table("messages")
    until = ibis.literal(scope.until, type="timestamp('UTC')")
    sent = sent.filter(sent.state != "rejected", sent.day < scope.as_of)
    clicked = (sent.clicked_at < until).fill_null(False)
    opened = (sent.opened_at < until).fill_null(False) | clicked
    return sent.select("customer_id", "day", opened=opened, clicked=clicked)


MESSAGES = Family(
    _messages,
    (
        Trait("messages_90d", "integer", N_("Messages in the last 90 days"), within(90), otherwise=0),
        Trait("opened_90d", "integer", N_("Of those, opened"), within(90, "opened"), otherwise=0),
        Trait("clicked_90d", "integer", N_("Of those, with a click"), within(90, "clicked"), otherwise=0),
        Trait("days_since_last_message", "integer", N_("Days since the latest message"), days_since("day"), ages=True),
    ),
)


def _latest_score(survey: Survey) -> Any:
    def rows(facts: Snapshot, scope: Scope) -> Any:
        import ibis

        given = survey.valid(facts, scope)
        given = given.filter(given.customer_id.notnull())
        said = ibis.struct({
            "at": given.answered_at, "id": given.answer_id, "score": given.score, "day": given.day,
            "scale": given.scale.fill_null(0),
        })  # fmt: skip
        latest = given.group_by("customer_id").aggregate(last=said.max())
        about = {name: latest.last[name] for name in ("score", "day", "scale")}
        return latest.select("customer_id", **about)

    return rows


ANSWERS = (
    Family(
        _latest_score(RECOMMENDATION),
        (
            Trait("last_nps", "integer", N_("Latest answer to the question of recommendation, 0 to 10"), told("score")),
            Trait("days_since_nps", "integer", N_("Days since that answer"), days_since("day"), ages=True),
        ),
    ),
    Family(
        _latest_score(SATISFACTION),
        (
            Trait("last_csat", "integer", N_("Latest answer on satisfaction, on its own scale"), told("score")),
            Trait(
                "last_csat_of",
                "integer",
                N_("The highest answer possible then"),
                lambda rows, _: rows.scale.max().nullif(0),
            ),
            Trait("days_since_csat", "integer", N_("Days since that answer"), days_since("day"), ages=True),
        ),
    ),
)


def _cases(facts: Snapshot, scope: Scope) -> Any:
    import ibis

    cases: Any = facts.table("cases")
    until = ibis.literal(scope.until, type="timestamp('UTC')")
    cases = cases.filter(cases.day < scope.as_of)
    return cases.mutate(open=cases.resolved_at.isnull() | (cases.resolved_at >= until))


CASES = Family(
    _cases,
    (
        Trait("cases_90d", "integer", N_("Questions and complaints in the last 90 days"), within(90), otherwise=0),
        Trait(
            "open_cases", "integer", N_("Of all of them, not settled yet"), lambda rows, _: rows.open.sum(), otherwise=0
        ),
    ),
)


def _subscriptions(facts: Snapshot, scope: Scope) -> Any:
    """One row per paid subscription and price that began before `as_of`; `monthly` at the rates of the last day."""
    import ibis

    until = ibis.literal(scope.until, type="timestamp('UTC')")
    paid: Any = paid_rows(facts, scope).mutate(day=ibis.literal(scope.last_day))
    paid = in_own_currency(facts, scope, paid, "monthly")
    return paid.mutate(runs=(paid.ended_at.isnull() | (paid.ended_at >= until)))


def _days(scope: Scope, moment: Any) -> Any:
    """Whole days of 24 hours from a moment to the end of the last day that counts."""
    return ((scope.until.timestamp() - moment.epoch_seconds()) / 86_400).floor()


def _state(rows: Any, _scope: Scope) -> Any:
    import ibis

    return ibis.ifelse(rows.runs.any(), "running", "ended")


SUBSCRIPTIONS = Family(
    _subscriptions,
    (
        Trait("subscription", "text", N_("running or ended; empty for those who never paid for one"), _state),
        Trait(
            "subscription_a_month", "money", N_("What running subscriptions bring a month"),
            lambda rows, _: rows.monthly.sum(where=rows.runs).fill_null(0), otherwise=0,
        ),
        Trait(
            "days_subscribed", "integer", N_("Days since the first payment for a subscription"),
            lambda rows, scope: _days(scope, rows.paid_from.min()),
        ),
        Trait(
            "days_since_subscription_ended", "integer",
            N_("Days since the last subscription ended; empty while one runs"),
            lambda rows, scope: rows.runs.any().ifelse(None, _days(scope, rows.ended_at.max())),
        ),
    ),
    always=True,
)  # fmt: skip

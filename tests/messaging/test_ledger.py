"""The send ledger against real servers: written before anything leaves, judged at the moment of sending."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from setia.customers.tables import contacts, opt_outs
from setia.messaging.ledger import MOST_ATTEMPTS, RETRY_AFTER, opt_out, recover
from setia.messaging.tables import codes, sends
from setia.programmes.journeys.desk import NoMailServer
from setia.programmes.journeys.service import WrongState
from setia.programmes.journeys.tables import enrolments
from setia.store.database import Busy, Lock

DAY = dt.timedelta(days=1)


class Clock:
    """A clock that is set."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock(mailing: Any) -> Clock:
    return Clock(mailing.NOW)


@pytest.fixture
def planned(planned_shop: Any, mail_server: Any, mailing: Any, clock: Clock) -> Any:
    """Makes a shop whose first sends are planned: `planned(answer, few=5)` leaves so many of them."""

    def make(answer: Any = None, *, few: int | None = None, more: str = "") -> tuple[Any, Any]:
        server = mail_server(answer)
        shop = planned_shop(extra=mailing.smtp(server.port, more), clock=clock)
        if few is not None:
            with shop.store.begin() as tx:
                kept = tx.scalars(select(sends.c.id).order_by(sends.c.customer_id).limit(few)).all()
                tx.execute(sends.delete().where(sends.c.id.not_in(kept)))
        return shop, server

    return make


def states(shop: Any) -> dict[str, tuple[str, str | None]]:
    with shop.store.begin() as tx:
        return {row.customer_id: (row.state, row.reason) for row in tx.execute(select(sends))}


def test_a_person_gets_a_step_once_by_the_databases_own_word(planned: Any) -> None:
    shop, _server = planned(few=1)
    with shop.store.begin() as tx:
        row = dict(tx.execute(select(sends)).mappings().one())
    with pytest.raises(IntegrityError), shop.store.begin() as tx:
        tx.execute(sends.insert().values({**row, "id": "another"}))
    with shop.store.begin() as tx:
        tx.execute(sends.insert().values({**row, "id": "another", "occurrence": row["occurrence"] + 1}))


def test_attempting_is_committed_before_the_server_hears_of_it(planned: Any) -> None:
    seen: list[tuple[str, str, int]] = []

    def answer(verb: str, argument: str, talk: Any) -> str | None:
        if verb in ("HELLO", "MAIL", "END"):
            with shop.store.engine.connect() as other:
                rows = other.execute(select(sends.c.state, func.count()).group_by(sends.c.state)).all()
            found = dict(map(tuple, rows))
            seen.append((verb, talk.to, found.get("attempting", 0)))
        return None

    shop, server = planned(answer, few=4)
    shop.programmes.work()
    assert len(server.received) == 4
    assert [verb for verb, _to, _n in seen] == ["HELLO", *["MAIL", "END"] * 4]
    assert all(attempting == 1 for _verb, _to, attempting in seen)
    assert {state for state, _ in states(shop).values()} == {"accepted"}


def test_what_a_dead_worker_was_attempting_is_unknown_and_stays_so(planned: Any, clock: Clock) -> None:
    shop, server = planned(few=3)
    with shop.store.begin() as tx:
        tx.execute(update(sends).where(sends.c.customer_id == min(states(shop))).values(state="attempting"))
    sent = shop.programmes.work().sent
    assert (sent["unknown"], sent["accepted"]) == (1, 2)
    clock.now += DAY
    assert shop.programmes.work().sent["accepted"] == 0
    assert len(server.received) == 2
    assert sorted(states(shop).values(), key=str)[2] == ("unknown", "worker_ended")


def test_lost_before_the_text_is_repeated_and_lost_after_it_is_not(planned: Any, clock: Clock, mailing: Any) -> None:
    trouble = {"c000": ("RCPT", "hang up"), "c001": ("END", "hang up")}

    def answer(verb: str, argument: str, talk: Any) -> str | None:
        for who, (where, what) in trouble.items():
            if who in talk.to and verb == where:
                return what
        return None

    shop, server = planned(answer)
    with shop.store.begin() as tx:  # both are treated, whatever the draw was
        tx.execute(update(enrolments).values(arm="treated"))
        first = tx.execute(select(sends).limit(1)).mappings().one()
        tx.execute(sends.delete())
        tx.execute(codes.delete())
        for who in ("C000", "C001", "C002"):
            tx.execute(sends.insert().values({**first, "id": f"send-{who}", "customer_id": who, "code": None,
                                              "offer": {"kind": "none", "value": "0"}}))  # fmt: skip
    shop.programmes.work()
    assert {who: state for who, (state, _) in states(shop).items()} == {
        "C000": "planned", "C001": "unknown", "C002": "accepted"
    }  # fmt: skip
    trouble.clear()
    assert shop.programmes.work().sent.total() == 0  # not before its time
    clock.now += RETRY_AFTER
    shop.programmes.work()
    assert {who: state for who, (state, _) in states(shop).items()} == {
        "C000": "accepted", "C001": "unknown", "C002": "accepted"
    }  # fmt: skip
    assert sorted(server.to()) == ["c000@example.com", "c001@example.com", "c002@example.com"]


def test_a_server_that_keeps_deferring_is_given_up_in_the_end(planned: Any, clock: Clock) -> None:
    shop, server = planned(lambda verb, argument, talk: "450 4.2.0 later" if verb == "RCPT" else None, few=1)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert [state for state, _ in states(shop).values()] == ["planned"]
        shop.programmes.work()
        with shop.store.begin() as tx:
            assert tx.scalar(select(sends.c.attempts)) == attempt
        clock.now += RETRY_AFTER
    assert list(states(shop).values()) == [("rejected", "450 4.2.0 later")]
    assert server.received == []
    assert sum("RCPT" in talk.verbs for talk in server.conversations) == MOST_ATTEMPTS


def test_a_server_that_is_down_costs_nobody_an_attempt(planned: Any, clock: Clock) -> None:
    down = [True]
    shop, server = planned(lambda verb, argument, talk: "421 down" if verb == "HELLO" and down[0] else None, few=4)
    for _ in range(MOST_ATTEMPTS + 2):
        assert shop.programmes.work().sent["planned"] <= 1
        clock.now += RETRY_AFTER
    assert len(server.conversations) == MOST_ATTEMPTS + 2  # one look at each round, not one for each mail
    with shop.store.begin() as tx:
        assert tx.scalars(select(sends.c.attempts)).all() == [0, 0, 0, 0]
    down[0] = False
    shop.programmes.work()
    assert {state for state, _ in states(shop).values()} == {"accepted"}


def test_an_address_that_does_not_exist_is_never_tried_again(planned: Any, clock: Clock) -> None:
    shop, server = planned(lambda verb, argument, talk: "550 5.1.1 unknown" if verb == "RCPT" else None, few=1)
    shop.programmes.work()
    ((customer, outcome),) = states(shop).items()
    assert outcome == ("rejected", "550 5.1.1 unknown")
    with shop.store.begin() as tx:
        assert tx.execute(select(opt_outs.c.customer_id, opt_outs.c.reason)).all() == [(customer, "bad_address")]
        tx.execute(update(enrolments).where(enrolments.c.customer_id == customer).values(due_at=clock.now))
    shop.programmes.work()
    with shop.store.begin() as tx:
        second = tx.execute(select(sends.c.state, sends.c.reason).where(sends.c.step == 2)).all()
    assert second == [("refused", "bad_address")]
    assert server.received == []


def test_a_server_that_never_answers_after_the_text(planned: Any, mailing: Any) -> None:
    shop, server = planned(
        lambda verb, argument, talk: mailing.STALL if verb == "END" else None, few=1, more="timeout_seconds = 0.3"
    )
    assert shop.programmes.work().sent["unknown"] == 1
    assert len(server.received) == 1
    assert shop.programmes.work().sent.total() == 0


def test_only_one_worker_at_a_time(planned: Any) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def answer(verb: str, argument: str, talk: Any) -> str | None:
        if verb == "END":
            reached.set()
            go_on.wait(20)
        return None

    shop, server = planned(answer, few=2)
    first = threading.Thread(target=shop.programmes.work)
    first.start()
    assert reached.wait(20)
    with pytest.raises(Busy):
        shop.programmes.work()
    with pytest.raises(Busy), shop.store.locked(Lock.SENDER, doing="sending messages"):
        pass
    go_on.set()
    first.join()
    assert len(server.received) == 2
    assert shop.programmes.work().sent.total() == 0


def test_what_changes_between_planning_and_sending_counts(planned: Any, clock: Clock) -> None:
    shop, server = planned(few=6)
    asked, opted, addressless, bought, unknown, fine = sorted(states(shop))
    with shop.store.begin() as tx:
        opt_out(tx, asked, "email", "asked", clock.now)
        opt_out(tx, asked, "email", "bad_address", clock.now)  # the first reason stays
        own = update(contacts)
        tx.execute(own.where(contacts.c.customer_id == opted).values(email_optout_at=clock.now))
        tx.execute(own.where(contacts.c.customer_id == addressless).values(email=None))
        tx.execute(own.where(contacts.c.customer_id == bought).values(last_order_at=clock.now))
        tx.execute(contacts.delete().where(contacts.c.customer_id == unknown))
    assert shop.programmes.work().sent["refused"] == 5
    assert states(shop) == {
        asked: ("refused", "asked"),
        opted: ("refused", "opted_out"),
        addressless: ("refused", "no_address"),
        bought: ("refused", "ordered"),
        unknown: ("refused", "no_address"),
        fine: ("accepted", "250 taken"),
    }
    assert server.to() == [f"{fine.lower()}@example.com"]


def test_a_pause_holds_what_is_planned_until_it_is_too_late(planned: Any, clock: Clock) -> None:
    shop, server = planned(few=2)
    shop.programmes.set_state("come-back", "paused")
    assert shop.programmes.work().sent["waiting"] == 2
    assert set(states(shop).values()) == {("planned", "paused")}
    shop.programmes.set_state("come-back", "running")
    clock.now += dt.timedelta(hours=1)
    with shop.store.begin() as tx:
        one = tx.scalar(select(func.min(sends.c.customer_id)))
        tx.execute(update(sends).where(sends.c.customer_id == one).values(not_after=clock.now - DAY))
    shop.programmes.work()
    assert sorted(states(shop).values()) == [("accepted", "250 taken"), ("refused", "too_late")]
    assert len(server.received) == 1


def test_a_stop_is_for_good_and_refuses_what_is_planned(planned: Any) -> None:
    shop, server = planned(few=3)
    assert shop.programmes.set_state(None, "stopped") == ["come-back"]
    assert set(states(shop).values()) == {("refused", "programme_stopped")}
    with pytest.raises(WrongState, match="new-measurement"):
        shop.programmes.set_state("come-back", "running")
    assert shop.programmes.set_state(None, "running") == []
    assert shop.programmes.work().sent.total() == 0
    assert server.received == []


def test_whoever_is_held_out_is_refused_even_with_a_send(planned: Any) -> None:
    shop, server = planned(few=2)
    with shop.store.begin() as tx:
        tx.execute(update(enrolments).values(arm="held_out"))
    shop.programmes.work()
    assert set(states(shop).values()) == {("refused", "held_out")}
    assert server.received == []


def test_the_cap_counts_what_may_have_arrived(planned: Any, clock: Clock) -> None:
    shop, server = planned(few=1)
    with shop.store.begin() as tx:
        row = dict(tx.execute(select(sends)).mappings().one())
        for number, (state, days) in enumerate([("accepted", 1), ("unknown", 6), ("rejected", 1), ("accepted", 8)]):
            tx.execute(
                sends.insert().values(
                    {**row, "id": f"old{number}", "programme": f"other{number}", "state": state,
                     "attempted_at": clock.now - days * DAY}
                )
            )  # fmt: skip
    assert shop.programmes.work().sent["waiting"] == 1
    with shop.store.begin() as tx:
        assert tx.execute(select(sends.c.state, sends.c.reason).where(sends.c.id == row["id"])).one() == (
            "planned",
            "cap",
        )
    clock.now += DAY  # now the unknown one is a week old
    shop.programmes.work()
    assert len(server.received) == 1


def test_quiet_hours_hold_a_message_until_the_morning(planned: Any, clock: Clock, mailing: Any) -> None:
    shop, server = planned(few=1)
    text = (shop.folder / "setia.toml").read_text().split("[gate]")[0]
    (shop.folder / "setia.toml").write_text(text)  # the usual hours, 20:00 to 08:00
    with type(shop).open(shop.folder, clock=clock) as own:
        clock.now = dt.datetime(2026, 3, 2, 14, tzinfo=dt.UTC)  # 21:00 in Jakarta
        assert own.programmes.work().sent["waiting"] == 1
        clock.now = dt.datetime(2026, 3, 3, 0, 59, tzinfo=dt.UTC)
        assert own.programmes.work().sent.total() == 0
        clock.now = dt.datetime(2026, 3, 3, 1, tzinfo=dt.UTC)
        assert own.programmes.work().sent["accepted"] == 1
    assert len(server.received) == 1


def test_somebody_erased_while_their_mail_is_under_way(planned: Any) -> None:
    def answer(verb: str, argument: str, talk: Any) -> str | None:
        if verb == "RCPT":
            with shop.store.begin() as tx:
                tx.execute(sends.delete())
            return "550 5.1.1 unknown"
        return None

    shop, _server = planned(answer, few=1)
    assert shop.programmes.work().sent["rejected"] == 1
    with shop.store.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(sends)) == 0
        assert tx.scalar(select(func.count()).select_from(opt_outs)) == 0


def test_without_a_mail_server_nothing_is_taken(planned_shop: Any) -> None:
    shop = planned_shop()
    with pytest.raises(NoMailServer):
        shop.programmes.work()
    assert {state for state, _ in states(shop).values()} == {"planned"}


def test_recovery_says_how_many(planned: Any, clock: Clock) -> None:
    shop, _server = planned(few=3)
    with shop.store.begin() as tx:
        tx.execute(update(sends).values(state="attempting"))
        assert recover(tx, clock.now) == 3
        assert recover(tx, clock.now) == 0

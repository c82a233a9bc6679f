"""Journeys of a whole shop, from entering to the last step."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from typing import Any

import ibis
import pytest
import yaml
from sqlalchemy import func, select, text, update

from setia.customers.tables import contacts
from setia.effects.holdout import arm, bucket
from setia.history.scope import Scope
from setia.messaging.tables import codes, sends
from setia.programmes.journeys import moves, service
from setia.programmes.journeys.audience import entering
from setia.programmes.journeys.desk import FactsTooOld, NotSent
from setia.programmes.journeys.models import from_text
from setia.programmes.journeys.service import NoProgramme
from setia.programmes.journeys.tables import enrolments, measurements, programme_versions

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


def edit(shop: Any, **changes: Any) -> None:
    """Change fields of the journey's document."""
    file = shop.folder / "programmes" / "come-back.yaml"
    document = yaml.safe_load(file.read_text())
    for name, value in changes.items():
        if isinstance(value, dict):
            document[name].update(value)
        else:
            document[name] = value
    file.write_text(yaml.safe_dump(document))


def all_of(shop: Any, table: Any) -> list[Any]:
    with shop.store.begin() as tx:
        return list(tx.execute(select(table).order_by(table.c.customer_id)).all())


def fresh_order(shop: Any, mailing: Any, day: dt.datetime, name: str, customer: str = "fresh", **more: Any) -> None:
    """An order, so that the facts are new."""
    row = {"order_id": name, "customer_id": customer, "placed_at": day.isoformat(), "total": 100_000, **more}
    shop.import_files([mailing.write_csv(shop.folder / "orders.csv", tuple(row), [tuple(row.values())])])


# Who enters.


def test_a_customer_enters_past_the_quantile_of_their_own_rhythm(mailing: Any) -> None:
    today = dt.date(2026, 3, 2)
    silences = {"at the mean": (30, 30), "at 1.6": (48, 30), "at 1.61": (49, 30), "slow": (49, 60), "lost": (600, 30)}
    rows = [
        {
            "customer_id": name, "last_day": today - dt.timedelta(days=days + 1), "usual_gap_days": float(gap),
            "orders": 3, "has_email": True, "email_consent": name != "at 1.61 without leave",
        }
        for name, (days, gap) in {**silences, "at 1.61 without leave": (49, 30)}.items()
    ]  # fmt: skip
    journey = from_text(mailing.JOURNEY, "test")
    scope = Scope(today, "IDR", "Asia/Jakarta")
    backend = ibis.duckdb.connect()
    facts: Any = None  # this audience asks for traits alone
    found = backend.to_pyarrow(entering(facts, ibis.memtable(rows), journey, scope, reachable=True)).to_pylist()
    assert [row["customer_id"] for row in found] == ["at 1.61"]
    assert found[0]["silence"] == 49
    assert found[0]["silence_limit"] == pytest.approx(1.6094 * 30, abs=0.01)
    anybody = backend.to_pyarrow(entering(facts, ibis.memtable(rows), journey, scope, reachable=False)).to_pylist()
    assert {row["customer_id"] for row in anybody} == {"at 1.61", "at 1.61 without leave"}
    backend.disconnect()


def test_both_arms_enter_alike_and_the_hash_decides(planned_shop: Any, mailing: Any) -> None:
    shop = planned_shop()
    entered = all_of(shop, enrolments)
    assert len(entered) == mailing.PEOPLE
    with shop.store.begin() as tx:
        salt, share = tx.execute(select(measurements.c.salt, measurements.c.held_out_share)).one()
    assert share == 0.2
    for row in entered:
        assert row.bucket == bucket(salt, row.customer_id)
        assert row.arm == arm(row.bucket, share)
        assert (row.entered_at, row.version, row.measurement) == (mailing.NOW, 1, "come-back-1")
    # Both have moved on by the same code, at the same moment.
    assert {(row.state, row.step, row.due_at) for row in entered} == {("active", 1, mailing.NOW + 7 * DAY)}
    held = {row.customer_id for row in entered if row.arm == "held_out"}
    assert {row.customer_id for row in all_of(shop, sends)} == {row.customer_id for row in entered} - held
    # 70 drawn at 0.2: between 3 and 26 with all but a chance in a hundred thousand.
    assert 3 <= len(held) <= 26


def test_nobody_enters_a_measurement_twice(planned_shop: Any) -> None:
    shop = planned_shop()
    again = shop.programmes.work(send=False)
    assert (again.entered, again.planned) == (0, 0)
    assert shop.programmes.apply("come-back").version == 1
    again = shop.programmes.work(send=False)
    assert (again.entered, again.planned) == (0, 0)


def test_of_accounts_with_one_address_one_enters(
    silent_shop: Any, clock: Clock, mail_server: Any, mailing: Any
) -> None:
    server = mail_server()
    shop = silent_shop(extra=mailing.smtp(server.port), clock=clock)
    shop.programmes.apply("come-back")
    with shop.store.begin() as tx:
        c = contacts.c
        tx.execute(update(contacts).where(c.customer_id.in_(["C010", "C011", "C012"])).values(email="One@example.com"))
        tx.execute(update(contacts).where(c.customer_id == "C012").values(email="one@EXAMPLE.com"))
        last = tx.scalar(
            select(c.customer_id)
            .where(c.customer_id.in_(["C010", "C011", "C012"]))
            .order_by(c.last_order_at.desc())
            .limit(1)
        )
        running = service.find(tx, "come-back")
        assert moves.enter(tx, running, ["C010", "C011", "C012", "C013", "nobody"], clock.now) == 2
        assert set(tx.scalars(select(enrolments.c.customer_id))) == {last, "C013"}
        # Nor does another of them come in later.
        assert moves.enter(tx, running, ["C010", "C011", "C012"], clock.now) == 0
    shop.programmes.work()
    assert sum(to.lower() == "one@example.com" for to in server.to()) <= 1


def test_facts_that_are_too_old_stop_the_mail(planned_shop: Any, clock: Clock, mail_server: Any, mailing: Any) -> None:
    server = mail_server()
    shop = planned_shop(extra=mailing.smtp(server.port), clock=clock)
    clock.now += 9 * DAY
    shop.programmes.work(send=False)
    clock.now += DAY
    with pytest.raises(FactsTooOld, match="11 days ago"):
        shop.programmes.work()
    assert server.received == []
    fresh_order(shop, mailing, clock.now - DAY, "new")
    shop.programmes.work()


# The steps.


def test_the_steps_come_in_time_and_an_order_ends_the_journey_in_both_arms(
    planned_shop: Any, clock: Clock, mail_server: Any, mailing: Any
) -> None:
    server = mail_server()
    shop = planned_shop(extra=mailing.smtp(server.port), clock=clock)
    shop.programmes.work()
    first = len(server.received)
    entered = {row.customer_id: row.arm for row in all_of(shop, enrolments)}
    assert first == Counter(entered.values())["treated"]
    treated, held = (
        next(who for who, arm in sorted(entered.items()) if arm == wanted) for wanted in ("treated", "held_out")
    )
    clock.now += 3 * DAY
    for number, who in enumerate((treated, held)):
        fresh_order(shop, mailing, clock.now - DAY, f"back{number}", who)
    shop.refresh()
    assert shop.programmes.work().ordered == 2
    clock.now = mailing.NOW + 7 * DAY - dt.timedelta(seconds=1)
    assert shop.programmes.work().planned == 0
    clock.now = mailing.NOW + 7 * DAY
    worked = shop.programmes.work()
    assert worked.planned == worked.sent["accepted"] == first - 1
    found = {row.customer_id: row for row in all_of(shop, enrolments)}
    assert found[treated].state == found[held].state == "ordered"
    assert Counter(row.state for row in found.values()) == {"ordered": 2, "finished": mailing.PEOPLE - 2}
    received = Counter(server.to())
    assert received[f"{treated.lower()}@example.com"] == 1
    assert {count for who, count in received.items() if not who.startswith(treated.lower())} == {2}
    assert not {who for who, arm in entered.items() if arm == "held_out"} & {
        who.split("@")[0].upper() for who in received
    }


def test_after_a_standstill_the_missed_steps_do_not_come_on_one_day(
    planned_shop: Any, clock: Clock, mailing: Any
) -> None:
    shop = planned_shop(clock=clock)
    edit(shop, steps=[*(yaml.safe_load(mailing.JOURNEY)["steps"]),
                      {**yaml.safe_load(mailing.JOURNEY)["steps"][1], "after_days": 14}])  # fmt: skip
    shop.programmes.apply("come-back", new_measurement=True)
    clock.now += 3 * DAY
    shop.programmes.work(send=False)
    with shop.store.begin() as tx:  # as if they had entered a month ago
        tx.execute(text("update enrolments set entered_at = entered_at - interval '30 days', "
                        "due_at = due_at - interval '30 days' where state = 'active'"))  # fmt: skip
    steps = []
    for _ in range(4):
        shop.programmes.work(send=False)
        with shop.store.begin() as tx:
            steps.append(tx.scalar(select(func.max(sends.c.step)).where(sends.c.version == 2)))
        clock.now += DAY
    assert steps == [2, 3, 3, 3]
    with shop.store.begin() as tx:
        states = set(tx.scalars(select(enrolments.c.state).where(enrolments.c.version == 2)))
    assert states == {"finished"}


def test_each_send_has_a_code_of_its_own(silent_shop: Any, mailing: Any) -> None:
    shop = silent_shop()
    shop.programmes.apply("come-back")
    with shop.store.begin() as tx:
        tx.execute(update(contacts).values(expected_order_value=100_000, worth=1_000_000))
        poor = tx.scalar(select(func.min(contacts.c.customer_id)))
        tx.execute(update(contacts).where(contacts.c.customer_id == poor).values(worth=1_000))
    shop.programmes.work(send=False)
    planned = {row.customer_id: row for row in all_of(shop, sends)}
    drawn = {row.code: row for row in all_of(shop, codes)}
    with_offer = [row for row in planned.values() if row.customer_id != poor]
    assert {row.code for row in with_offer} == drawn.keys()
    assert len(drawn) == len(with_offer)
    for row in with_offer:
        code = drawn[row.code]
        assert (code.send_id, code.customer_id, code.kind, code.value) == (row.id, row.customer_id, "percent", 10)
        # The mail names the fourteenth day, and the code outlives it.
        assert code.expires_at == mailing.NOW + 15 * DAY
        assert row.offer["cost"] == "10000.00"
    if poor in planned:
        assert (planned[poor].code, planned[poor].offer["kind"]) == (None, "none")
    with (shop.folder / "exports" / "codes.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert {row["code"] for row in listed} == drawn.keys()
    assert {(row["kind"], row["value"], row["currency"], row["uses"]) for row in listed} == {
        ("percent", "10.0000", "IDR", "1")
    }
    assert not any(cell[:1] in "=+-@\t\r" for row in listed for cell in row.values())


def test_codes_that_have_expired_leave_the_file(planned_shop: Any, clock: Clock, mailing: Any) -> None:
    shop = planned_shop(clock=clock)
    with shop.store.begin() as tx:
        send = tx.execute(select(sends).limit(1)).one()
        tx.execute(codes.delete())
        for name, days in (("OLD", 0), ("NEW", 3)):
            tx.execute(
                codes.insert().values(
                    code=name, send_id=name, programme=send.programme, customer_id=send.customer_id, kind="percent",
                    value=10, currency="IDR", made_at=clock.now, expires_at=clock.now + days * DAY,
                )
            )  # fmt: skip
    shop.programmes.work(send=False)
    assert [line.split(",")[0] for line in (shop.folder / "exports" / "codes.csv").read_text().splitlines()] == [
        "code", "NEW"
    ]  # fmt: skip


# Versions and measurements.


def test_an_edited_text_is_a_new_version_of_the_same_measurement(
    planned_shop: Any, clock: Clock, mail_server: Any, mailing: Any
) -> None:
    server = mail_server()
    shop = planned_shop(extra=mailing.smtp(server.port), clock=clock)
    steps = yaml.safe_load(mailing.JOURNEY)["steps"]
    for step in steps:
        step["subject"] = dict.fromkeys(("en", "id", "ms"), "Changed")
    edit(shop, steps=steps)
    running = shop.programmes.apply("come-back")
    assert (running.version, running.measurement) == (2, "come-back-1")
    with shop.store.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(programme_versions)) == 2
        late = tx.scalar(select(func.min(enrolments.c.customer_id)).where(enrolments.c.arm == "treated"))
        tx.execute(sends.delete().where(sends.c.customer_id == late))
        tx.execute(codes.delete().where(codes.c.customer_id == late))
        tx.execute(enrolments.delete().where(enrolments.c.customer_id == late))
    assert shop.programmes.work().entered == 1
    clock.now += 7 * DAY
    shop.programmes.work()
    subjects: dict[str, list[str]] = {}
    for mail in server.mails():
        subjects.setdefault(str(mail["To"]).split("@")[0].upper(), []).append(mail["Subject"])
    assert subjects.pop(late) == ["Changed", "Changed"]
    assert all("Changed" not in each for each in subjects.values())
    assert {len(each) for each in subjects.values()} == {2}


def test_a_new_measurement_draws_anew_and_leaves_nobody_in_two(
    planned_shop: Any, clock: Clock, mail_server: Any, mailing: Any
) -> None:
    server = mail_server()
    shop = planned_shop(extra=mailing.smtp(server.port), clock=clock)
    running = shop.programmes.apply("come-back", new_measurement=True)
    assert (running.version, running.measurement) == (1, "come-back-2")  # the document is the same
    worked = shop.programmes.work()
    assert worked.entered == mailing.PEOPLE
    with shop.store.begin() as tx:
        salts = tx.scalars(select(measurements.c.salt)).all()
        first, second = (
            {row.customer_id: row for row in tx.execute(select(enrolments).where(enrolments.c.measurement == name))}
            for name in ("come-back-1", "come-back-2")
        )
        accepted = set(tx.scalars(select(sends.c.customer_id).where(sends.c.state == "accepted")))
        refused = set(tx.scalars(select(sends.c.reason).where(sends.c.state == "refused")))
    assert len(set(salts)) == 2
    assert {row.state for row in first.values()} == {"stopped"}
    assert {who: row.arm for who, row in first.items()} != {who: row.arm for who, row in second.items()}
    assert refused == {"programme_stopped"}
    assert accepted == {who for who, row in second.items() if row.arm == "treated"}
    assert Counter(server.to()).most_common(1)[0][1] == 1


def test_stop_and_unknown_names(planned_shop: Any) -> None:
    shop = planned_shop()
    with pytest.raises(NoProgramme, match="come-back"):
        shop.programmes.set_state("come-forward", "stopped")
    assert shop.programmes.set_state("come-back", "stopped") == ["come-back"]
    assert {row.state for row in all_of(shop, enrolments)} == {"stopped"}
    assert shop.programmes.results()[0].state == "stopped"
    assert shop.programmes.work(send=False).planned == 0


# Told to the warehouse.


def test_exposures_of_both_arms_are_told_once(planned_shop: Any, mailing: Any) -> None:
    shop = planned_shop()
    for _ in range(2):
        shop.refresh()
        with shop.reading() as reader:
            rows = reader.duck.sql(
                "select customer_id, arm, bucket, exposed_at, day, outcome from exposures"
            ).fetchall()
        assert len(rows) == mailing.PEOPLE
    entered = {row.customer_id: (row.arm, row.bucket) for row in all_of(shop, enrolments)}
    assert {row[0]: row[1:3] for row in rows} == entered
    assert {row[3:] for row in rows} == {(mailing.NOW, dt.date(2026, 3, 2), None)}
    assert all(row.told for row in all_of(shop, enrolments))


def test_telling_and_having_told_are_one(planned_shop: Any, mailing: Any) -> None:
    """A failure at any statement of the commit leaves neither the snapshot nor the flag."""
    from setia.refresh import tell_facts

    shop = planned_shop()
    with shop.store.begin() as tx:
        tx.execute(
            text(
                "create function fail() returns trigger language plpgsql as $$ begin raise 'no'; end $$; "
                "create trigger fail before update on enrolments for each row execute function fail()"
            )
        )
    with pytest.raises(Exception, match="no"), shop.writing() as writer:
        tell_facts(shop.store, writer, mailing.NOW, "Asia/Jakarta")
    with shop.reading() as reader:
        assert reader.rows("exposures") == 0
    with shop.store.begin() as tx:
        tx.execute(text("drop trigger fail on enrolments"))
    with shop.writing() as writer:
        assert tell_facts(shop.store, writer, mailing.NOW, "Asia/Jakarta") == mailing.PEOPLE
    with shop.reading() as reader:
        assert reader.rows("exposures") == mailing.PEOPLE


# The texts.


@pytest.mark.parametrize("language", ["en", "id", "ms"])
def test_every_text_of_the_playbook_can_be_shown_and_tried(
    planned_shop: Any, mail_server: Any, mailing: Any, language: str
) -> None:
    server = mail_server()
    shop = planned_shop(extra=mailing.smtp(server.port))
    for step in (1, 2, 3):
        written = shop.programmes.preview("win-back", step, language, "Ayu & <Budi>")
        for part in (written.subject, written.text, written.html):
            assert "{{" not in part
            assert "{%" not in part
        assert "Ayu & <Budi>" in written.text
        assert "Ayu &amp; &lt;Budi&gt;" in written.html
        assert "<Budi>" not in written.html
        assert ("BACK-2345ABCDE" in written.text) == (step > 1)
        assert "stop@kopi.example" in written.text
        assert "stop@kopi.example" in written.html
        shop.programmes.test_send("win-back", step, language, "owner@kopi.example")
    assert server.to() == ["owner@kopi.example"] * 3
    with shop.store.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(sends).where(sends.c.programme == "win-back")) == 0


def test_a_test_that_is_not_taken_says_so(planned_shop: Any, mail_server: Any, mailing: Any) -> None:
    server = mail_server(lambda verb, argument, talk: "550 5.7.1 no" if verb == "RCPT" else None)
    shop = planned_shop(extra=mailing.smtp(server.port))
    with pytest.raises(NotSent, match=r"550 5\.7\.1 no"):
        shop.programmes.test_send("win-back", 1, "en", "owner@kopi.example")


def test_a_programme_whose_text_is_broken_is_not_applied(silent_shop: Any, mailing: Any) -> None:
    shop = silent_shop()
    steps = yaml.safe_load(mailing.JOURNEY)["steps"]
    steps[1]["body"]["ms"] = "Hai {{ nama }}"
    edit(shop, steps=steps)
    with pytest.raises(Exception, match=r"step 2 \(ms\).*nama"):
        shop.programmes.apply("come-back")
    assert shop.programmes.results() == []


def test_moving_many_is_done_in_batches(planned_shop: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = planned_shop(clock=clock)
    monkeypatch.setattr(moves, "BATCH", 16)
    clock.now += 7 * DAY
    treated = sum(row.arm == "treated" for row in all_of(shop, enrolments))
    assert shop.programmes.work(send=False).planned == treated
    with shop.store.begin() as tx:
        assert service.find(tx, "come-back").version == 1
        assert set(tx.scalars(select(enrolments.c.state))) == {"finished"}

"""Erasure: after it no byte of the workspace or of its server names the person, and nobody else has changed."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, text

import setia.app
from setia.app import Shop
from setia.erasure import NobodyFound
from setia.messaging.tables import codes, sends
from setia.programmes.journeys.tables import enrolments
from setia.settings import ShopSettings
from setia.store.database import Busy
from setia.store.scrubbing import StillOpen
from setia.store.server import PrivateServer, destroy

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LONG_AGO = "2024-01-01T00:00:00Z"
PEOPLE = 14
FACTS = ("customers", "orders", "events", "answers", "messages", "exposures", "traits")


@pytest.fixture(scope="module")
def mailing() -> ModuleType:
    name = "setia_tests_mailing"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "messaging" / "mailing.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def address(person: int) -> str:
    return f"Orang{person}.Kopi+{person}@Example.com"


def former(person: int) -> str:
    return f"lama{person}.sekali@example.org"


class Place:
    """A workspace with a server of its own, a clock that can be set, and files outside it."""

    def __init__(self, folder: Path, mailing: ModuleType, port: int) -> None:
        self.files, self.folder, self.mailing = folder / "files", folder / "shop", mailing
        self.files.mkdir(parents=True)
        setia.app.init(self.folder, ShopSettings())
        (self.folder / "setia.toml").write_text(mailing.smtp(port), encoding="utf-8")
        (self.folder / "programmes").mkdir()
        (self.folder / "programmes" / "come-back.yaml").write_text(
            mailing.JOURNEY.replace("kind: percent, value: 10", "kind: free_shipping"), encoding="utf-8"
        )
        self.now = NOW
        self.shop = Shop.open(self.folder, clock=lambda: self.now)

    def close(self) -> None:
        self.shop.close()
        destroy(self.folder)

    def write(self, name: str, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
        return Path(self.mailing.write_csv(self.files / name, header, rows))

    def history(self) -> list[Path]:
        number = count(1)
        people = range(PEOPLE)
        orders: list[tuple[object, ...]] = [
            (f"O{next(number)}", f"C{p:03}", NOW - dt.timedelta(days=ago - p), 200_000 + p)
            for p in people
            for ago in (400, 370, 340, 310)
        ]
        orders.append((f"O{next(number)}", "fresh", NOW - dt.timedelta(days=1), 100_000))
        # The account that somebody opened a second time, with the same address.
        orders.append((f"O{next(number)}", "second", NOW - dt.timedelta(days=500), 50_000))
        return [
            self.write(
                "customers.csv",
                ("customer_id", "email", "phone", "name", "language", "email_consent_at"),
                [
                    *((f"C{p:03}", address(p), "+62800", f"Nama {p}", "id", LONG_AGO) for p in people),
                    ("second", address(0), "", "Nama 0", "id", ""),
                ],
            ),
            self.write("orders.csv", ("order_id", "customer_id", "placed_at", "total"), orders),
            self.write(
                "events.csv",
                ("event_id", "customer_id", "name", "occurred_at", "properties"),
                [
                    *((f"E{p}", f"C{p:03}", "Checkout", NOW, f'{{"email": "{address(p)}"}}') for p in people),
                    *((f"G{p}", "", "Checkout", NOW, f'{{"email": "{address(p)}", "n": 1}}') for p in people),
                ],
            ),
            self.write(
                "answers.csv",
                ("answer_id", "customer_id", "survey", "score", "comment", "answered_at"),
                [(f"A{p}", f"C{p:03}", "nps", 9, f"write to {address(p)}", NOW) for p in people],
            ),
        ]

    def live(self) -> None:
        """A programme that has mailed, rows that were refused, an older snapshot with other addresses, pages."""
        before = self.write(
            "customers_before.csv",
            ("customer_id", "email"),
            [(f"C{p:03}", former(p)) for p in range(PEOPLE)],
        ).rename(self.files / "customers.csv")
        self.shop.import_files([before])
        self.shop.import_files(self.history())
        bad = [(f"B{p}", f"C{p:03}", "no date", 1, address(p).upper()) for p in range(PEOPLE)]
        good = [("B99", "fresh", NOW - dt.timedelta(days=1), 1, "")]
        self.shop.import_files(
            [self.write("orders.csv", ("order_id", "customer_id", "placed_at", "total", "note"), [*bad, *good])]
        )
        self.shop.refresh()
        self.shop.programmes.apply("come-back")
        self.shop.programmes.work()
        with self.shop.store.begin() as tx:
            tx.execute(text("update sends set reason = reason || ' <' || c.email || '>' from contacts c "
                            "where c.customer_id = sends.customer_id"))  # fmt: skip
        with self.shop.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
            session.execute(text("analyze"))
            session.execute(text("checkpoint"))
        self.shop.refresh()

    def treated(self) -> list[int]:
        with self.shop.store.begin() as tx:
            found = tx.scalars(select(enrolments.c.customer_id).where(enrolments.c.arm == "treated")).all()
        return sorted(int(each[1:]) for each in found if each and each[1:].isdigit())

    def pages(self, person: int) -> list[Path]:
        contents = {
            "reports/report-id.html": f"<td>{address(person)}</td>".encode(),
            "outbox/deep/1.eml": f"To: {address(person).upper()}".encode(),
            "exports/list.txt": former(person).encode("utf-16"),
            "scratch/read-killed/spill.tmp": address(person).lower().encode(),
            "data/orders/2025-01/orphan.parquet": address(person).lower().encode(),
            "rejects/20250101.part": address(person).encode(),
        }
        for name, content in contents.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        other = self.folder / "reports" / "20260302.json"
        other.write_text('{"retention": 0.5}')
        return [self.folder / name for name in contents]

    def traces(self, *wanted: str) -> list[str]:
        """Every file of the workspace and of the server's cluster in which one of the texts stands."""
        needles = [form for each in wanted for form in forms(each.lower())]
        found = []
        for root in (self.folder, PrivateServer.of(self.folder).cluster):
            for path in root.rglob("*"):
                if not path.is_file() or path.is_symlink():
                    continue
                try:
                    content = path.read_bytes().lower()
                except FileNotFoundError:
                    continue  # the server removes files of its own
                if any(needle in content for needle in needles) or any(each.lower() in values(path) for each in wanted):
                    found.append(str(path.relative_to(root)))
        return found

    def rows(self, snapshot: int | None = None) -> dict[str, list[Any]]:
        """All rows of all facts by table, those of the given snapshot."""
        with self.shop.reading(snapshot) as reader:
            return {
                name: sorted(reader.duck.sql(f"select * from {name}").fetchall(), key=str)
                for name in FACTS
                if name != "traits" or reader.rows("traits")
            }


def forms(trace: str) -> Iterator[bytes]:
    yield trace.encode()
    yield trace.encode("utf-16-le")
    yield trace.encode("utf-16-be")


def values(path: Path) -> str:
    """All texts of a Parquet file, in one."""
    if path.suffix != ".parquet":
        return ""
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, FileNotFoundError):
        return ""
    return "\n".join(str(value) for column in table.columns for value in column.to_pylist()).lower()


@pytest.fixture
def place(tmp_path: Path, mailing: ModuleType) -> Iterator[Place]:
    with mailing.mail_servers() as make:
        server = make()
        made = Place(tmp_path, mailing, server.port)
        made.server = server  # type: ignore[attr-defined]
        yield made
        made.close()


def without(rows: dict[str, list[Any]], *ids: str) -> dict[str, list[Any]]:
    """The rows that are not of these people; exposures apart."""
    return {
        name: [row for row in found if not set(ids) & set(map(str, row))]
        for name, found in rows.items()
        if name != "exposures"
    }


@pytest.mark.slow
def test_nothing_names_an_erased_person_any_more(place: Place) -> None:
    place.live()
    shop = place.shop
    person = place.treated()[0]
    key, mail = f"C{person:03}", address(person)
    place.now = NOW + dt.timedelta(days=5)
    shop.import_files(
        [place.write("orders.csv", ("order_id", "customer_id", "placed_at", "total"),
                     [("late", key, NOW + dt.timedelta(days=4), 90_000),
                      # So that ten weeks on the facts reach beyond every window.
                      ("last", "fresh", NOW + dt.timedelta(days=69), 10_000)])]
    )  # fmt: skip
    shop.refresh()
    pages = place.pages(person)
    with shop.store.begin() as tx:
        oldest, newest = tx.execute(text("select min(id), max(id) from snapshots")).one()
        codes_before = tx.scalar(text("select count(*) from codes"))
    before, before_old = place.rows(), place.rows(oldest + 1)
    assert former(person) in str(place.rows(oldest)["customers"])
    place.now = NOW + dt.timedelta(days=70)
    result_before = shop.programmes.results("come-back")[0]
    place.now = NOW + dt.timedelta(days=5)
    held = shop.takeout(mail.upper())
    assert {"customers", "orders", "events", "answers", "messages", "exposures", "traits"} <= held["facts"].keys()
    assert {"contacts", "enrolments", "sends", "codes"} <= held["store"].keys()
    assert len(held["facts"]["orders"]) == (6 if person == 0 else 5)
    # The control: the address is where it may be expected, the server's heap, log and statistics among them.
    found = place.traces(mail)
    assert any(path.startswith("pg_wal") for path in found)
    assert sum(path.startswith("base") for path in found) >= 3
    assert any(path.startswith("data") for path in found)
    assert any(path.startswith("rejects") for path in found)

    assert shop.erase(mail.upper()) > 0

    assert place.traces(mail, former(person)) == []
    assert not any(path.exists() for path in pages)
    assert (place.folder / "reports" / "20260302.json").exists()
    after, after_old = place.rows(), place.rows(oldest + 1)
    ids = (key, "second") if person == 0 else (key,)
    guest = f"G{person}"  # an event that nobody is known for, but whose text named the person
    assert without(after, *ids, guest) == without(before, *ids, guest)
    assert without(after_old, *ids, guest) == without(before_old, *ids, guest)
    assert all(each not in str(rows) for each in ids for rows in (after, after_old, place.rows(newest)))
    assert next(row for row in after["events"] if guest in row)[-1] == '{"email": "[erased]", "n": 1}'
    assert len(after["exposures"]) == len(before["exposures"])
    with shop.store.begin() as tx:
        assert tx.scalar(text("select count(*) from codes")) == codes_before
        assert tx.scalar(select(codes.c.customer_id).where(codes.c.customer_id == key)) is None
        assert tx.scalar(select(sends.c.id).where(sends.c.customer_id == key)) is None
    place.now = NOW + dt.timedelta(days=70)
    result_after = shop.programmes.results("come-back")[0]
    assert result_after.lift.treated == result_before.lift.treated
    assert result_after.lift.held_out == result_before.lift.held_out
    assert result_before.lift.treated.successes >= 1

    # An old file does not bring the person back, under any of the addresses.
    place.now = NOW + dt.timedelta(days=6)
    mails = len(place.server.received)  # type: ignore[attr-defined]
    report = shop.import_files(place.history())
    assert sum(file.erased for file in report.files) > 0
    assert key not in str(place.rows()["customers"])
    assert mail.lower() not in str(place.rows()["customers"])
    assert key not in str(place.rows()["orders"])
    shop.refresh()
    place.now = NOW + dt.timedelta(days=8)
    shop.programmes.work()
    later = place.server.to()[mails:]  # type: ignore[attr-defined]
    assert later
    assert mail.lower() not in later
    with pytest.raises(NobodyFound):
        shop.erase("nobody@example.com")
    with pytest.raises(NobodyFound):
        shop.takeout(mail)


@pytest.mark.slow
def test_an_open_transaction_is_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.live()
    first, second = place.treated()[:2]
    seen, over = threading.Event(), threading.Event()

    def look() -> None:
        with place.shop.store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as session:
            session.execute(text("select count(*) from contacts"))
            seen.set()
            over.wait(60)
            session.rollback()

    for person, limit in ((first, 60), (second, 0)):
        monkeypatch.setattr("setia.store.scrubbing.PATIENCE", limit)
        seen.clear()
        over.clear()
        looker = threading.Thread(target=look)
        looker.start()
        seen.wait()
        if limit == 0:
            with pytest.raises(StillOpen):
                place.shop.erase(address(person))
            over.set()
            place.shop.erase(address(person))
        else:
            threading.Timer(1.5, over.set).start()
            place.shop.erase(address(person))
        looker.join()
        assert place.traces(address(person), former(person)) == []


@pytest.mark.slow
def test_an_erasure_that_is_killed_is_completed_by_the_next(place: Place, mailing: ModuleType) -> None:
    place.live()
    first, *people = place.treated()[:6]
    draw = random.Random(5)
    nursery = mailing.Nursery()
    counts = {name: len(rows) for name, rows in place.rows().items()}
    lasts = []
    for statement in ("1", "shop.sql('select 1')", f"shop.erase({address(first)!r})"):  # the first has yet to import
        started = time.monotonic()
        nursery.start(place.folder, place.now, statement)
        assert nursery.wait() == 0
        lasts.append(time.monotonic() - started)
    killed = 0
    for number, person in enumerate(people):
        nursery.start(place.folder, place.now, f"shop.erase({address(person)!r})")
        # At one point in each fifth of the time that the first one took.
        moment = lasts[1] + (lasts[2] - lasts[1]) * (number + draw.random()) / len(people)
        timer = threading.Timer(moment, nursery.kill)
        timer.start()
        killed += os.WIFSIGNALED(nursery.wait())
        timer.cancel()
        while True:
            try:
                place.shop.erase(address(person))
            except Busy:
                time.sleep(0.1)  # the server has not noticed yet that the other is gone
                continue
            except NobodyFound:
                pass
            break
    nursery.close()
    assert killed >= 3
    people = [first, *people]
    assert place.traces(*map(address, people), *map(former, people)) == []
    after = {name: len(rows) for name, rows in place.rows().items()}
    assert after["exposures"] == counts["exposures"]
    # C000 and `second` have one address, so that they are one person before and none after.
    assert after["customers"] == counts["customers"] - len(people)


@pytest.mark.slow
def test_people_who_share_a_telephone_stay(place: Place) -> None:
    place.shop.import_files(place.history())
    place.shop.erase("C003")
    left = {row[0] for row in place.rows()["customers"]}
    assert left == {*(f"C{p:03}" for p in range(PEOPLE) if p != 3), "second"}
    place.shop.import_files(place.history())
    assert {row[0] for row in place.rows()["customers"]} == left
    # An address that two accounts share is one person's.
    place.shop.erase("second")
    assert {row[0] for row in place.rows()["customers"]} == left - {"C000", "second"}
    assert "C000" not in str(place.rows()["orders"])
    assert place.traces(address(0)) == []

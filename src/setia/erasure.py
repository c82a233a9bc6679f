"""Removes a person from every fact, every kept snapshot, the store and the rejects; keeps only fingerprints.

Exposures stay as counts that nobody can link: without the customer, with the outcome that was known.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from setia.customers.tables import contacts, opt_outs
from setia.effects.outcomes import with_outcome
from setia.facts import FACTS
from setia.kernel.errors import SetiaError
from setia.messaging.tables import codes, sends
from setia.programmes.journeys.tables import enrolments, measurements
from setia.store.database import Store
from setia.warehouse.duck import literal, parquet, quoted, row
from setia.warehouse.files import DataFile
from setia.warehouse.identity import Identity
from setia.warehouse.reader import Reader, fact_view
from setia.warehouse.tables import erased, fact_files
from setia.warehouse.writer import Writer


class NobodyFound(SetiaError):
    """Nobody is known as {identifier}. Give a customer's key or e-mail address as it stands in the facts."""

    code = "customers.nobody_found"


@dataclass(frozen=True, slots=True)
class Person:
    """All identifiers of one person."""

    customer_id: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]

    def identifiers(self) -> tuple[str, ...]:
        """Every identifier once."""
        return tuple(dict.fromkeys((self.customer_id, *self.emails, *self.phones)))


def find(reader: Reader, identity: Identity, identifier: str) -> Person:
    """The person behind a customer's key or an e-mail address. Raises NobodyFound."""
    wanted = [identity.customer_id(identifier), identifier]
    rows = reader.duck.execute(
        "select customer_id, email, phone from customers where list_contains($1, customer_id) or lower($2) = email "
        "union all select customer_id, null, null from orders where list_contains($1, customer_id) limit 10",
        [wanted, identifier],
    ).fetchall()
    if not rows:
        raise NobodyFound(identifier=identifier)
    key = str(rows[0][0])
    emails = {str(row[1]) for row in rows if row[1]} | ({identifier.lower()} if "@" in identifier else set())
    return Person(key, tuple(sorted(emails)), tuple(sorted({str(row[2]) for row in rows if row[2]})))


def erase(
    store: Store, workspace: Path, reader: Reader, writer: Writer, identity: Identity, person: Person, now: dt.datetime
) -> int:
    """Erase a person; the caller holds the writer. Returns how many files were rewritten.

    New files stand beside the old ones first; one transaction then points every kept snapshot to them, cleans the
    store and keeps the fingerprints; only then are the old files removed. A reader that is under way keeps the open
    files it has and fails on those it has not opened yet: erasure does not wait.
    """
    folder = workspace / "data"
    with store.begin() as tx:
        all_files = [
            DataFile(*row)
            for row in tx.execute(
                select(
                    fact_files.c.fact_table, fact_files.c.month, fact_files.c.path, fact_files.c.rows,
                    fact_files.c.schema_version,
                )
            )
        ]  # fmt: skip
    bought = _bought(store, reader, person)
    changes = [
        (file, writer.rewrite(file, _without(file, folder, person, bought)))
        for file in all_files
        if _holds(writer, file, folder, person)
    ]
    with store.begin() as tx:
        for old, new in changes:
            _point_to(tx, old, new)
        _clean_store(tx, person, now)
        rows = [{"fingerprint": identity.fingerprint(each), "erased_at": now} for each in person.identifiers()]
        tx.execute(insert(erased).on_conflict_do_nothing(), rows)
    for old, _new in changes:
        (folder / old.path).unlink(missing_ok=True)
    _clean_rejects(workspace / "rejects", person)
    _clean_pages(workspace, person)
    scrub(store)
    return len(changes)


def _columns(file: DataFile) -> tuple[str, ...]:
    return FACTS[file.table].person if file.table in FACTS else ("customer_id",)


def _is_person(file: DataFile, person: Person) -> str:
    listed = ", ".join(literal(each) for each in person.identifiers())
    return " or ".join(f"coalesce({quoted(column)} in ({listed}), false)" for column in _columns(file)) or "false"


def _holds(writer: Writer, file: DataFile, folder: Path, person: Person) -> bool:
    source = parquet([folder / file.path])
    return bool(row(writer.duck, f"select count(*) from {source} where {_is_person(file, person)}")[0])


def _bought(store: Store, reader: Reader, person: Person) -> list[str]:
    """Keys of the person's exposures that were followed by an order within the window."""
    with store.begin() as tx:
        windows = dict(tx.execute(select(measurements.c.id, measurements.c.window_days)).tuples().all())
    found: list[str] = []
    for measurement, days in windows.items():
        exposures: Any = reader.table("exposures")
        own = exposures.filter(exposures.customer_id == person.customer_id, exposures.measurement == measurement)
        rows: Any = with_outcome(own, reader.table("orders"), days)
        found += [
            row["exposure_id"] for row in reader.arrow(rows.filter(rows.bought).select("exposure_id")).to_pylist()
        ]
    return found


def _without(file: DataFile, folder: Path, person: Person, bought: Sequence[str]) -> str:
    is_person = _is_person(file, person)
    if file.table == "exposures":
        source = fact_view(FACTS["exposures"], folder, [file])
        did = f"exposure_id in ({', '.join(literal(each) for each in bought)})" if bought else "false"
        return (
            f"select * replace (case when {is_person} then {did} else outcome end as outcome, "
            f"case when {is_person} then null else customer_id end as customer_id) from ({source})"
        )
    return f"select * from {parquet([folder / file.path])} where not ({is_person})"


def _point_to(tx: Connection, old: DataFile, new: DataFile | None) -> None:
    own = fact_files.c.path == old.path
    if new is None:
        tx.execute(delete(fact_files).where(own))
    else:
        tx.execute(update(fact_files).where(own).values(path=new.path, rows=new.rows))


def _clean_store(tx: Connection, person: Person, now: dt.datetime) -> None:
    """Rows of the person go, in every table that has a customer; enrolments and codes stay without one."""
    for table in (contacts, opt_outs, sends):
        tx.execute(delete(table).where(table.c.customer_id == person.customer_id))
    tx.execute(update(codes).where(codes.c.customer_id == person.customer_id).values(customer_id=None))
    e = enrolments.c
    own = update(enrolments).where(e.customer_id == person.customer_id)
    tx.execute(own.where(e.state == "active").values(state="stopped", due_at=None, ended_at=now))
    tx.execute(own.values(customer_id=None))


def _clean_rejects(folder: Path, person: Person) -> None:
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as source:
            rows = list(csv.reader(source))
        kept = [row for row in rows if not _mentions(row, person)]
        if len(kept) < len(rows):
            draft = file.with_suffix(".part")
            with draft.open("w", encoding="utf-8", newline="") as target:
                csv.writer(target).writerows(kept)
            draft.replace(file)


def _mentions(row: Sequence[str], person: Person) -> bool:
    """Whether a rejected row is the person's: an address anywhere in it, or the key as a cell of its own."""
    content = row[-1].lower() if row else ""
    if any(each.lower() in content for each in (*person.emails, *person.phones)):
        return True
    cells: list[Any] = next(csv.reader([row[-1].lstrip("'")]), []) if row else []
    return person.customer_id in (cell.strip() for cell in cells)


def _clean_pages(workspace: Path, person: Person) -> None:
    """Reports and rendered mails that name the person go; a report is made anew at any time."""
    traces = [each.encode() for each in person.identifiers()]
    for folder in ("reports", "outbox"):
        for file in (workspace / folder).glob("*"):
            content = file.read_bytes()
            if any(trace in content for trace in traces):
                file.unlink()


def scrub(store: Store) -> None:
    """Leave no trace of deleted rows on the server's disk: rewrite the tables, drop the old log.

    Needs the rights of a table's owner for the first and of a superuser for the second; on a server of your own
    without them, the administrator's `VACUUM FULL` and checkpoint do it.
    """
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        for table in (contacts, opt_outs, sends, codes, enrolments):
            session.execute(text(f"vacuum (full, analyze) {table.name}"))
        if session.scalar(text("select rolsuper from pg_roles where rolname = current_user")):
            session.execute(text("vacuum full pg_catalog.pg_statistic"))
            # Old log files are removed, not recycled, once a checkpoint has passed them.
            for _ in range(2):
                session.execute(text("select pg_switch_wal()"))
                session.execute(text("checkpoint"))


def takeout(store: Store, reader: Reader, person: Person) -> dict[str, Any]:
    """Everything that is held about one person: the rows of each fact table and of the store, by table."""
    listed = ", ".join(literal(each) for each in person.identifiers())
    held: dict[str, Any] = {"identifiers": list(person.identifiers()), "facts": {}, "store": {}}
    tables = {**{name: table.person for name, table in FACTS.items() if table.person}}
    if reader.rows("traits"):
        tables["traits"] = ("customer_id",)
    for name, columns in tables.items():
        where = " or ".join(f"{quoted(column)} in ({listed})" for column in columns)
        rows = reader.duck.sql(f"select * from {quoted(name)} where {where}").to_arrow_table().to_pylist()
        if rows:
            held["facts"][name] = rows
    with store.begin() as tx:
        for table in (contacts, opt_outs, enrolments, sends, codes):
            rows = [
                dict(row)
                for row in tx.execute(select(table).where(table.c.customer_id == person.customer_id)).mappings()
            ]
            if rows:
                held["store"][table.name] = rows
    return held

"""Removes a person from every fact, every kept snapshot, the store and the rejects; keeps only fingerprints.

Exposures stay as counts that nobody can link: without the customer, with the outcome that was known.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from setia.customers.tables import contacts, joins, opt_outs, same_person
from setia.effects.outcomes import with_outcome
from setia.facts import FACTS
from setia.kernel.errors import SetiaError
from setia.messaging.tables import codes, sends
from setia.programmes.journeys.tables import enrolments, measurements
from setia.segments.audience import traces
from setia.store.database import Store
from setia.store.scrubbing import scrub
from setia.warehouse.duck import literal, parquet, quoted, row
from setia.warehouse.files import DataFile
from setia.warehouse.identity import Identity
from setia.warehouse.persons import SAME_PERSON
from setia.warehouse.reader import Reader, fact_view
from setia.warehouse.tables import erased, fact_files
from setia.warehouse.writer import Writer

FREE_TEXT = {
    "answers": ("comment", "choice"), "cases": ("reason",), "events": ("properties",), "subscriptions": ("reason",),
}  # fmt: skip
"""Columns in which anybody's row may mention anybody's address."""
ERASED = "[erased]"


class NobodyFound(SetiaError):
    """Nobody is known as {identifier}. Give a customer's key, e-mail address or telephone number (+62…) as it stands in
    the facts; a number that several customers share finds nobody."""

    code = "customers.nobody_found"


@dataclass(frozen=True, slots=True)
class Person:
    """All identifiers of one person."""

    customer_ids: tuple[str, ...]
    """The customer's key, and those of other accounts with the same address."""
    emails: tuple[str, ...]
    phones: tuple[str, ...]

    @property
    def customer_id(self) -> str:
        """The customer's key, or the first of them."""
        return self.customer_ids[0]

    def identifiers(self) -> tuple[str, ...]:
        """Every identifier once."""
        return tuple(dict.fromkeys((*self.customer_ids, *self.emails, *self.phones)))


def find(reader: Reader, identity: Identity, identifier: str) -> Person:
    """The person behind a customer's key, an e-mail address or a telephone number, from facts under the keys of their
    files. Raises NobodyFound."""
    ids = _known_ids(reader, [identity.customer_id(identifier), identifier])
    ids |= _only_owner(reader, identifier)
    emails = {identifier.lower()} if "@" in identifier else set()
    while True:
        more = reader.duck.execute(
            "select customer_id, lower(email) from customers "
            "where list_contains($1, customer_id) or list_contains($2, lower(email))",
            [sorted(ids), sorted(emails)],
        ).fetchall()
        ids_now, emails_now = ids | {key for key, _ in more}, emails | {email for _, email in more if email}
        ids_now |= _all_keys(reader, sorted({*ids_now, identity.customer_id(identifier), identifier}))
        if (ids_now, emails_now) == (ids, emails):
            break
        ids, emails = ids_now, emails_now
    if not ids:
        raise NobodyFound(identifier=identifier)
    # A telephone that others share is theirs too, and no sign of this person.
    phones = reader.duck.execute(
        "select phone from customers where phone is not null group by phone "
        "having bool_and(list_contains($1, customer_id))",
        [sorted(ids)],
    ).fetchall()
    first = sorted(ids, key=lambda key: (key not in (identifier, identity.customer_id(identifier)), key))
    return Person(tuple(first), tuple(sorted(emails)), tuple(sorted(str(phone) for (phone,) in phones)))


def _all_keys(reader: Reader, keys: list[str]) -> set[str]:
    """All keys of the people who have one of these among several."""
    if not reader.rows(SAME_PERSON):
        return set()
    found = reader.duck.execute(
        f"select customer_id from {SAME_PERSON} where person_id in "
        f"(select person_id from {SAME_PERSON} where list_contains($1, customer_id))",
        [keys],
    ).fetchall()
    return {str(key) for (key,) in found}


def _only_owner(reader: Reader, phone: str) -> set[str]:
    """The customer with a telephone number; nobody where several share it."""
    found = reader.duck.execute("select customer_id from customers where phone = $1", [phone]).fetchall()
    return {str(key) for (key,) in found} if len(found) == 1 else set()


def _known_ids(reader: Reader, wanted: list[str]) -> set[str]:
    tables = [quoted(table.name) for table in FACTS.values() if "customer_id" in table.names()]
    rows = " union ".join(f"select customer_id from {table} where list_contains($1, customer_id)" for table in tables)
    return {str(key) for (key,) in reader.duck.execute(rows, [wanted]).fetchall()}


def erase(
    store: Store, workspace: Path, reader: Reader, writer: Writer, identity: Identity, person: Person, now: dt.datetime
) -> int:
    """Erase a person; the caller holds the writer. Returns how many files were rewritten.

    The facts come last: as long as something is left to do the person is found there, so an erasure that was killed
    is completed by asking for it again. New files stand beside the old ones first, one transaction points every kept
    snapshot to them, and only then are the old ones removed. A reader that is under way keeps the open files it has
    and fails on those it has not opened yet: erasure does not wait. Raises StillOpen.
    """
    folder = workspace / "data"
    all_files = _all_files(store)
    person = _with_former_addresses(writer, folder, all_files, person)
    bought = _bought(store, reader, person)
    with store.begin() as tx:
        xid = str(tx.scalar(text("select pg_current_xact_id()")))
        _clean_store(tx, person, now)
        rows = [{"fingerprint": identity.fingerprint(each), "erased_at": now} for each in person.identifiers()]
        tx.execute(insert(erased).on_conflict_do_nothing(), rows)
    _clean_rejects(workspace / "rejects", person)
    _clean_pages(workspace, person)
    _clean_scratch(workspace / "scratch", reader)
    scrub(store, xid, (contacts, opt_outs, sends, codes, enrolments, joins, same_person))
    changes = [
        (file, writer.rewrite(file, _without(file, folder, person, bought)))
        for file in all_files
        if _holds(writer, file, folder, person)
    ]
    _flush(folder / new.path for _old, new in changes if new is not None)
    with store.begin() as tx:
        for old, new in changes:
            _point_to(tx, old, new)
        # What the person had in common with others, a device, an order's number, has gone from every snapshot alike.
        tx.execute(text("update snapshots set summary = summary - 'basis' where reason = 'refresh'"))
    _remove_unknown(store, folder)
    return len(changes)


def _all_files(store: Store) -> list[DataFile]:
    """The files of every kept snapshot."""
    f = fact_files.c
    with store.begin() as tx:
        rows = tx.execute(select(f.fact_table, f.month, f.path, f.rows, f.schema_version)).all()
    return [DataFile(*found) for found in rows]


def _with_former_addresses(writer: Writer, folder: Path, files: Sequence[DataFile], person: Person) -> Person:
    """The person with the addresses that only older snapshots know."""
    own = [folder / file.path for file in files if file.table == "customers"]
    if not own:
        return person
    listed = ", ".join(literal(key) for key in person.customer_ids)
    rows = writer.duck.execute(
        f"select distinct lower(email) from {parquet(own)} where customer_id in ({listed}) and email is not null"
    ).fetchall()
    return replace(person, emails=tuple(sorted({*person.emails, *(str(email) for (email,) in rows)})))


def _is_person(file: DataFile, person: Person) -> str:
    ids, emails = (", ".join(literal(each) for each in known) for known in (person.customer_ids, person.emails))
    columns = FACTS[file.table].person if file.table in FACTS else ("customer_id",)
    conditions = [f"coalesce(customer_id in ({ids}), false)"] if "customer_id" in columns else []
    if "email" in columns and person.emails:
        conditions.append(f"coalesce(lower(email) in ({emails}), false)")
    return " or ".join(conditions) or "false"


def _address(person: Person) -> str:
    """A regular expression for the person's addresses, whatever their case, as an SQL literal."""
    return literal("(?i)" + "|".join(re.escape(email) for email in person.emails))


def _source(file: DataFile, folder: Path) -> str:
    if file.table in FACTS:
        return f"({fact_view(FACTS[file.table], folder, [file])})"
    return parquet([folder / file.path])


def _holds(writer: Writer, file: DataFile, folder: Path, person: Person) -> bool:
    conditions = [_is_person(file, person)]
    if person.emails:
        conditions += [
            f"coalesce(regexp_matches({quoted(column)}, {_address(person)}), false)"
            for column in FREE_TEXT.get(file.table, ())
        ]
    query = f"select count(*) from {_source(file, folder)} where {' or '.join(conditions)}"
    return bool(row(writer.duck, query)[0])


def _bought(store: Store, reader: Reader, person: Person) -> list[str]:
    """Keys of the person's exposures that were followed by an order within the window."""
    with store.begin() as tx:
        rows = tx.execute(select(measurements.c.id, measurements.c.window_days)).all()
    windows = {row.id: row.window_days for row in rows}
    found: list[str] = []
    for measurement, days in windows.items():
        exposures: Any = reader.table("exposures")
        own = exposures.filter(exposures.customer_id.isin(person.customer_ids), exposures.measurement == measurement)
        outcomes: Any = with_outcome(own, reader.table("orders"), days)
        found += [
            row["exposure_id"]
            for row in reader.arrow(outcomes.filter(outcomes.bought).select("exposure_id")).to_pylist()
        ]
    return found


def _without(file: DataFile, folder: Path, person: Person, bought: Sequence[str]) -> str:
    source, is_person = _source(file, folder), _is_person(file, person)
    if file.table == "exposures":
        did = f"exposure_id in ({', '.join(literal(each) for each in bought)})" if bought else "false"
        return (
            f"select * replace (case when {is_person} then {did} else outcome end as outcome, "
            f"case when {is_person} then null else customer_id end as customer_id) from {source}"
        )
    kept = "*"
    if person.emails and file.table in FREE_TEXT:
        blanked = (
            f"regexp_replace({quoted(column)}, {_address(person)}, {literal(ERASED)}, 'g') as {quoted(column)}"
            for column in FREE_TEXT[file.table]
        )
        kept = f"* replace ({', '.join(blanked)})"
    return f"select {kept} from {source} where not ({is_person})"


def _point_to(tx: Connection, old: DataFile, new: DataFile | None) -> None:
    own = fact_files.c.path == old.path
    if new is None:
        tx.execute(delete(fact_files).where(own))
    else:
        values = {"path": new.path, "rows": new.rows, "schema_version": new.schema_version}
        tx.execute(update(fact_files).where(own).values(**values))


def _flush(files: Iterable[Path]) -> None:
    for file in files:
        for target in (file, file.parent):
            handle = os.open(target, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _remove_unknown(store: Store, folder: Path) -> None:
    """Remove the files that no snapshot knows: the old ones, and what a killed process left."""
    known = {file.path for file in _all_files(store)}
    for file in folder.rglob("*.parquet"):
        if str(file.relative_to(folder)) not in known:
            file.unlink(missing_ok=True)


def _clean_store(tx: Connection, person: Person, now: dt.datetime) -> None:
    """Rows of the person go, in every table that has a customer; enrolments and codes stay without one."""
    ids = person.customer_ids
    tx.execute(
        delete(contacts).where(or_(contacts.c.customer_id.in_(ids), func.lower(contacts.c.email).in_(person.emails)))
    )
    for table in (opt_outs, sends, same_person):
        tx.execute(delete(table).where(table.c.customer_id.in_(ids)))
    tx.execute(delete(joins).where(or_(joins.c.customer_id.in_(ids), joins.c.other_id.in_(ids))))
    tx.execute(update(codes).where(codes.c.customer_id.in_(ids)).values(customer_id=None))
    e = enrolments.c
    own = update(enrolments).where(e.customer_id.in_(ids))
    tx.execute(own.where(e.state == "active").values(state="stopped", due_at=None, ended_at=now))
    tx.execute(own.values(customer_id=None))


def _clean_rejects(folder: Path, person: Person) -> None:
    csv.field_size_limit(sys.maxsize)
    for draft in folder.glob("*.part"):  # of an erasure that was killed
        draft.unlink()
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
    """Whether a rejected row is the person's: an address anywhere in it, or a key as a cell of its own."""
    said = "\n".join(row).lower()
    if any(each.lower() in said for each in (*person.emails, *person.phones)):
        return True
    cells = re.split(r"[,;\t|\n]", row[-1].lstrip("'")) if row else []
    return not {cell.strip(" \"'") for cell in cells}.isdisjoint(person.customer_ids)


def _clean_pages(workspace: Path, person: Person) -> None:
    """Report pages go, since they name customers, and whatever else holds an address; all are made anew at any time."""
    for page in (workspace / "reports").glob("*.html"):
        page.unlink()
    traces = [trace for address in (*person.emails, *person.phones) for trace in _written(address)]
    for folder in ("reports", "exports", "outbox"):
        for file in (workspace / folder).rglob("*"):
            if not file.is_file():
                continue
            content = file.read_bytes().lower()
            if any(trace in content for trace in traces) or (folder == "exports" and _lists(file, person)):
                file.unlink()


def _lists(file: Path, person: Person) -> bool:
    """Whether one of the cells of a list is one of the person's keys."""
    if file.suffix != ".csv":
        return False
    with file.open(encoding="utf-8", errors="replace", newline="") as source:
        return any(cell.lstrip("'") in person.customer_ids for row in csv.reader(source) for cell in row)


def _written(address: str) -> Iterator[bytes]:
    """An address as the files of a workspace may hold it."""
    yield address.encode()
    yield address.encode("utf-16-le")
    yield address.encode("utf-16-be")
    yield quote(address).lower().encode()
    yield address.replace("+", "&#43;").encode()
    for trace in traces(address):
        yield trace.encode()


def _clean_scratch(scratch: Path, reader: Reader) -> None:
    """Remove what killed readers spilled; those that are at work keep the files that they have open."""
    (own,) = row(reader.duck, "select current_setting('temp_directory')")
    for leftover in scratch.glob("read-*"):
        if leftover.name != Path(own).name:
            shutil.rmtree(leftover, ignore_errors=True)


def takeout(store: Store, reader: Reader, person: Person) -> dict[str, Any]:
    """Everything that is held about one person: the rows of each fact table and of the store, by table."""
    listed = ", ".join(literal(each) for each in (*person.customer_ids, *person.emails))
    held: dict[str, Any] = {"identifiers": list(person.identifiers()), "facts": {}, "store": {}}
    tables = {name: table.person for name, table in FACTS.items() if table.person}
    for name in ("traits", "segments", "segment_moves", "recommendations", SAME_PERSON):
        if reader.rows(name):
            tables[name] = ("customer_id",)
    for name, columns in tables.items():
        where = " or ".join(f"{quoted(column)} in ({listed})" for column in columns)
        rows = reader.duck.sql(f"select * from {quoted(name)} where {where}").to_arrow_table().to_pylist()
        if rows:
            held["facts"][name] = rows
    with store.begin() as tx:
        for table in (contacts, opt_outs, enrolments, sends, codes, same_person):
            rows = [
                dict(row)
                for row in tx.execute(select(table).where(table.c.customer_id.in_(person.customer_ids))).mappings()
            ]
            if rows:
                held["store"][table.name] = rows
        ids = person.customer_ids
        found = tx.execute(select(joins).where(or_(joins.c.customer_id.in_(ids), joins.c.other_id.in_(ids)))).mappings()
        if logged := [dict(row) for row in found]:
            held["store"]["joins"] = logged
    return held

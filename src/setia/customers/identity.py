"""Who is who: keys of customers that are one person, by rule where that is certain, proposed to a person where not.

Certain is the same e-mail address, or the same telephone number where the names agree or nothing else is known, as
long as the birthdays do not contradict each other. An address that many keys share says nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from setia.customers.tables import joins, opt_outs, same_person
from setia.kernel.errors import SetiaError
from setia.warehouse.identity import PSEUDONYM

if TYPE_CHECKING:
    import duckdb

MOST_SHARING = 5
"""Keys with one address beyond which it is nobody's own: a shop's till, a family's business, a made-up number."""
LEAST_USER_NAME = 6
"""Letters of a user name below which two marketplaces may well have given it to two people."""
BY_RULE, BY_PERSON = "rule", "person"
ALIAS = "same_person"
"""The reason of an opt-out that a person gave under another of their keys."""


class NoJoin(SetiaError):
    """There is no join {number} that can be {wanted}. `setia customers joins` lists them with their states."""

    code = "customers.no_join"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why two keys may be one person."""

    customer_id: str
    other_id: str
    evidence: str
    certain: bool


_LINKS = """
with people as (
    select customer_id, lower(email) as email, phone, birth_date, name,
        list_sort(list_distinct(list_filter(string_split(regexp_replace(lower(strip_accents(coalesce(name, ''))),
            '[^\\p{{L}} ]', ' ', 'g'), ' '), lambda w: length(w) > 1))) as words
    from customers
), marked as (
    select *, case when contains(customer_id, ':') then split_part(customer_id, ':', 2) end as user_name,
        case when birth_date is not null and len(words) > 1 then birth_date || array_to_string(words, ' ') end as who
    from people
), pairs as ({pairs})
select a.customer_id, b.customer_id, pairs.evidence,
    coalesce(a.birth_date = b.birth_date, true) and (
        pairs.evidence = 'email' or pairs.evidence = 'phone' and (
            len(a.words) > 0 and len(b.words) > 0 and (list_has_all(a.words, b.words) or list_has_all(b.words, a.words))
            or a.email is null and a.name is null or b.email is null and b.name is null))
from pairs join marked a on a.customer_id = pairs.hub join marked b on b.customer_id = pairs.other_id
order by 1, 2, 3
"""
_SHARED = {"email": "email", "phone": "phone", "person": "who", "user_name": "user_name"}


def evidence(connection: duckdb.DuckDBPyConnection) -> list[Evidence]:
    """What the table `customers`, under the keys of its files, says of who is who; the strongest word for each pair."""
    pairs = " union all ".join(
        f"select '{name}' as evidence, min(customer_id) over own as hub, customer_id as other_id from marked "
        f"where {column} is not null{_enough(name)} window own as (partition by {column}) "
        f"qualify count(*) over own between 2 and {MOST_SHARING} and hub <> customer_id"
        for name, column in _SHARED.items()
    )
    found: dict[tuple[str, str], Evidence] = {}
    for one, other, name, certain in connection.execute(_LINKS.format(pairs=pairs)).fetchall():
        known = found.get((one, other))
        if known is None or (certain and not known.certain):
            found[one, other] = Evidence(one, other, name, bool(certain))
    return list(found.values())


def _enough(name: str) -> str:
    return f" and length(user_name) >= {LEAST_USER_NAME}" if name == "user_name" else ""


def note(tx: Connection, found: Iterable[Evidence], now: dt.datetime) -> None:
    """Bring the log up to what the facts say: what is new joins or is proposed, what they no longer say lapses.

    What a person has decided stays.
    """
    told = {(each.customer_id, each.other_id): each for each in found}
    known = {(row.customer_id, row.other_id): row for row in tx.execute(select(joins))}
    fresh = [each for pair, each in told.items() if pair not in known]
    if fresh:
        tx.execute(insert(joins), [_logged(each, now) for each in fresh])
    for pair, row in known.items():
        wanted = _state_of(told.get(pair), row)
        if wanted != row.state:
            values = {"state": wanted, "decided_by": BY_RULE, "decided_at": now}
            if pair in told:
                values["evidence"] = told[pair].evidence
            tx.execute(update(joins).where(joins.c.id == row.id).values(**values))


def _logged(each: Evidence, now: dt.datetime) -> dict[str, Any]:
    return {
        "customer_id": each.customer_id,
        "other_id": each.other_id,
        "evidence": each.evidence,
        "state": "joined" if each.certain else "proposed",
        "decided_by": BY_RULE,
        "found_at": now,
        "decided_at": now if each.certain else None,
        "note": None,
    }


def _state_of(told: Evidence | None, row: Row[Any]) -> str:
    if row.decided_by == BY_PERSON:
        return str(row.state)
    if told is None:
        return "lapsed"
    return "joined" if told.certain else "proposed"


DECISIONS = {"joined": ("proposed", "refused", "undone"), "refused": ("proposed",), "undone": ("joined",)}
"""What a person may decide, and of joins in which states."""


def decide(tx: Connection, number: int, state: str, now: dt.datetime) -> None:
    """A person's word on a join. Raises NoJoin."""
    done = tx.execute(
        update(joins)
        .where(joins.c.id == number, joins.c.state.in_(DECISIONS[state]))
        .values(state=state, decided_by=BY_PERSON, decided_at=now)
    )
    if not done.rowcount:
        raise NoJoin(number=number, wanted=state)


def persons(tx: Connection, exposed: Mapping[str, dt.datetime]) -> dict[str, str]:
    """By key the key of the person, for everybody who has several.

    Keys that were set apart by a person are never one, whatever leads from the one to the other. The person is known
    by the key that was first in a measurement (`exposed`), then by the one that stood for them before, then by a key
    of the shop's own.
    """
    rows = tx.execute(select(joins).order_by(joins.c.decided_by, joins.c.customer_id, joins.c.other_id)).all()
    groups = _Groups((row.customer_id, row.other_id) for row in rows if row.state in ("refused", "undone"))
    for row in rows:
        if row.state == "joined":
            groups.join(row.customer_id, row.other_id)
    standing = set(tx.scalars(select(same_person.c.person_id).distinct()))
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)

    def first(key: str) -> tuple[Any, ...]:
        return exposed.get(key, latest), key not in standing, key.startswith(PSEUDONYM), key

    found: dict[str, str] = {}
    for members in groups.several():
        person = min(members, key=first)
        found |= dict.fromkeys(members, person)
    return found


class _Groups:
    """Sets of keys that grow together, but for pairs that are kept apart."""

    def __init__(self, apart: Iterable[tuple[str, str]]) -> None:
        self._members: dict[str, set[str]] = {}
        self._apart: dict[str, set[str]] = {}
        for one, other in apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def join(self, one: str, other: str) -> None:
        """Make one set of two, unless that brings together what is kept apart."""
        here, there = self._members.get(one, {one}), self._members.get(other, {other})
        if one in there or any(self._apart.get(key, set()) & there for key in here):
            return
        both = here | there
        self._members.update(dict.fromkeys(both, both))

    def several(self) -> list[set[str]]:
        """Every set once."""
        return list({id(members): members for members in self._members.values()}.values())


def keep(tx: Connection, mapping: Mapping[str, str]) -> None:
    """Make a mapping the present one. Who asked to stop under one key has asked to stop under all."""
    tx.execute(delete(same_person))
    tx.execute(delete(opt_outs).where(opt_outs.c.reason == ALIAS))
    if not mapping:
        return
    tx.execute(insert(same_person), [{"customer_id": key, "person_id": person} for key, person in mapping.items()])
    asked = (
        select(same_person.c.person_id, opt_outs.c.channel, func.min(opt_outs.c.at))
        .join(opt_outs, opt_outs.c.customer_id == same_person.c.customer_id)
        .group_by(same_person.c.person_id, opt_outs.c.channel)
    )
    everywhere = asked.add_columns(literal(ALIAS))
    names = ["customer_id", "channel", "at", "reason"]
    tx.execute(upsert(opt_outs).from_select(names, everywhere).on_conflict_do_nothing())


def mapping(tx: Connection) -> dict[str, str]:
    """The present one."""
    return {row.customer_id: row.person_id for row in tx.execute(select(same_person))}


def remark(tx: Connection, said: Mapping[str, str]) -> None:
    """Note at the joins of a key what a person should know of them."""
    for key, words in said.items():
        tx.execute(
            update(joins)
            .where(joins.c.state == "joined", or_(joins.c.customer_id == key, joins.c.other_id == key))
            .values(note=words)
        )


def listed(tx: Connection, state: str | None = None) -> list[dict[str, Any]]:
    """The log, newest first: `id`, `customer_id`, `other_id`, `evidence`, `state`, `decided_by`, `found_at`,
    `decided_at`, `note`."""
    query = select(joins).order_by(joins.c.id.desc())
    if state is not None:
        query = query.where(joins.c.state == state)
    return [dict(row) for row in tx.execute(query).mappings()]

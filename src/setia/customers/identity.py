"""Who is who: keys of customers that are one person, by rule where that is certain, proposed to a person where not.

Certain is the same e-mail address, or the same telephone number where the names agree or nothing else is known, as
long as the birthdays do not contradict each other. An address that many keys share says nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from setia.customers.tables import joins, same_person
from setia.kernel.errors import SetiaError
from setia.warehouse.identity import PSEUDONYM

if TYPE_CHECKING:
    import duckdb

MOST_SHARING = 5
"""Keys with one address beyond which it is nobody's own: a shop's till, a family's business, a made-up number."""
LEAST_USER_NAME = 6
"""Letters of a user name below which two marketplaces may well have given it to two people."""
BY_RULE, BY_PERSON = "rule", "person"


class KeptApart(SetiaError):
    """{one} and {other} cannot be one person: keys of the two were set apart before. `setia customers joins` shows
    which were refused or undone; accept those first."""

    code = "customers.kept_apart"


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
), shared as ({shared}), listed as (
    select evidence, value, unnest(keys) as key from shared
), pairs as (
    select one.evidence, one.value, one.key as customer_id, other.key as other_id, a.birth_date as born,
        b.birth_date as other_born,
        coalesce(a.birth_date = b.birth_date, true) and (one.evidence = 'email' or one.evidence = 'phone' and (
            len(a.words) > 0 and len(b.words) > 0 and (list_has_all(a.words, b.words) or list_has_all(b.words, a.words))
            or a.email is null and a.name is null or b.email is null and b.name is null)) as agree
    from listed one
    join listed other on one.evidence = other.evidence and one.value = other.value and one.key < other.key
    join marked a on a.customer_id = one.key join marked b on b.customer_id = other.key
)
select customer_id, other_id, evidence, bool_and(agree) over (partition by evidence, value) as certain, born, other_born
from pairs order by 1, 2, 3
"""
_SHARED = {"email": "email", "phone": "phone", "person": "who", "user_name": "user_name"}


def evidence(connection: duckdb.DuckDBPyConnection) -> list[Evidence]:
    """What the table `customers`, under the keys of its files, says of who is who; the strongest word for each pair.

    An address is certain for all who have it or for none: one pair that contradicts itself makes the others doubtful.
    Nor do two birthdays come together by way of somebody whose own is not known.
    """
    shared = " union all ".join(
        f"select '{name}' as evidence, {column} as value, list(customer_id) as keys from marked "
        f"where {column} is not null{_enough(name)} group by {column} having count(*) between 2 and {MOST_SHARING}"
        for name, column in _SHARED.items()
    )
    found: dict[tuple[str, str], Evidence] = {}
    groups = _Groups(())
    born: dict[str, set[Any]] = {}
    for one, other, name, certain, *days in connection.execute(_LINKS.format(shared=shared)).fetchall():
        for key, day in zip((one, other), days, strict=True):
            born.setdefault(key, {day} - {None})
        both = set().union(*(born.get(key, set()) for key in groups.of(one) | groups.of(other)))
        certain = bool(certain) and len(both) < 2
        if certain:
            groups.join(one, other)
        known = found.get((one, other))
        if known is None or (certain and not known.certain):
            found[one, other] = Evidence(one, other, name, certain)
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
    changed = []
    for pair, row in known.items():
        wanted = _state_of(told.get(pair), row)
        if wanted != row.state:
            said = told[pair].evidence if pair in told else row.evidence
            changed.append({"own": row.id, "new_state": wanted, "new_evidence": said})
    if changed:
        # A person may have decided meanwhile.
        own = update(joins).where(joins.c.id == bindparam("own"), joins.c.decided_by == BY_RULE)
        tx.execute(
            own.values(state=bindparam("new_state"), evidence=bindparam("new_evidence"), decided_at=now), changed
        )


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


def decide(tx: Connection, number: int, state: str, now: dt.datetime, exposed: Mapping[str, dt.datetime]) -> None:
    """A person's word on a join. Raises NoJoin, KeptApart."""
    done = tx.execute(
        update(joins)
        .where(joins.c.id == number, joins.c.state.in_(DECISIONS[state]))
        .values(state=state, decided_by=BY_PERSON, decided_at=now)
    )
    if not done.rowcount:
        raise NoJoin(number=number, wanted=state)
    row = tx.execute(select(joins.c.customer_id, joins.c.other_id).where(joins.c.id == number)).one()
    found = persons(tx, exposed)
    if state == "joined" and found.get(row.customer_id, "") != found.get(row.other_id):
        raise KeptApart(one=row.customer_id, other=row.other_id)


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

    def of(self, key: str) -> set[str]:
        """The set that a key is in, itself at least."""
        return self._members.get(key, {key})

    def join(self, one: str, other: str) -> None:
        """Make one set of two, unless that brings together what is kept apart."""
        few, many = sorted((self.of(one), self.of(other)), key=len)
        if one in self.of(other) or any(self._apart.get(key, set()) & many for key in few):
            return
        many |= few
        for key in (*few, one, other):
            self._members[key] = many

    def several(self) -> list[set[str]]:
        """Every set once."""
        return list({id(members): members for members in self._members.values()}.values())


def keep(tx: Connection, mapping: Mapping[str, str]) -> None:
    """Make a mapping the present one."""
    tx.execute(delete(same_person))
    if mapping:
        tx.execute(insert(same_person), [{"customer_id": key, "person_id": person} for key, person in mapping.items()])


def keys_of(keys: Any) -> Any:
    """All keys of the people who have one of these (a list or a subquery) among several, as a subquery."""
    own, other = same_person.alias("own"), same_person.alias("other")
    return (
        select(other.c.customer_id).join(own, own.c.person_id == other.c.person_id).where(own.c.customer_id.in_(keys))
    )


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
    `decided_at`, `note`. What would be joined but for a pair that a person keeps apart is `blocked`."""
    known = mapping(tx)

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        one, other = (known.get(row[name]) for name in ("customer_id", "other_id"))
        return {**row, "state": "blocked"} if row["state"] == "joined" and (one is None or one != other) else row

    rows = [shown(dict(row)) for row in tx.execute(select(joins).order_by(joins.c.id.desc())).mappings()]
    return [row for row in rows if state in (None, row["state"])]

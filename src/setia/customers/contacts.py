"""Keeps the store's contacts in step with the facts: only changed rows are touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, text

from setia.customers.identity import keys_of
from setia.customers.tables import contacts, opt_outs
from setia.history.consent import CHANNELS, email_consent
from setia.warehouse.persons import SAME_PERSON

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

COLUMNS = tuple(column.name for column in contacts.columns)

ROWS_AT_ONCE = 10_000
_FACTS = """
    select k.key, c.email, c.name, c.language, d.email_consent_at, d.email_optout_at, o.last_order_at,
        t.usual_gap_days, t.expected_order_value, t.value_if_active_365d as worth
    from ({keys}) k
    join customers c on c.customer_id = k.customer_id
    left join ({consent}) d on d.customer_id = c.customer_id
    left join {traits} t on t.customer_id = c.customer_id
    left join (
        select customer_id, max(placed_at) as last_order_at from orders
        where cancelled_at is null and not coalesce(is_test, false) and not coalesce(is_staff, false)
            and not coalesce(is_adjustment, false)
        group by customer_id
    ) o on o.customer_id = c.customer_id
"""


_KEYS = "select customer_id as key, customer_id from customers"
_ALIASES = f" union all select customer_id, person_id from {SAME_PERSON} where customer_id <> person_id"
"""Whoever is in a programme under one of several keys stays there, written to as the person that they are."""


def sync(tx: Connection, reader: Reader, traits: str = "traits") -> int:
    """Bring the contacts up to the reader's snapshot; returns how many rows changed.

    `traits` names the table or expression to take the traits from.
    """
    tx.execute(text("create temp table fresh (like contacts) on commit drop"))
    keys = _KEYS + (_ALIASES if reader.rows(SAME_PERSON) else "")
    consent = reader.ibis.compile(email_consent(reader))
    _copy(tx, reader.duck.execute(_FACTS.format(traits=traits, consent=consent, keys=keys)))
    fields = ", ".join(COLUMNS)
    changed = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    old, new = (", ".join(f"{row}.{name}" for name in COLUMNS[1:]) for row in ("contacts", "excluded"))
    result = tx.execute(
        text(
            f"insert into contacts ({fields}) select {fields} from fresh "
            f"on conflict (customer_id) do update set {changed} where ({old}) is distinct from ({new})"
        )
    )
    return result.rowcount


def _copy(tx: Connection, rows: Any) -> None:
    connection: Any = tx.connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"copy fresh ({', '.join(COLUMNS)}) from stdin") as copy:
        while batch := rows.fetchmany(ROWS_AT_ONCE):
            for row in batch:
                copy.write_row(row)


def stopped_on(channel: str) -> Any:
    """Who asked Setia to stop on a channel, as a subquery: all keys of a person."""
    own = select(opt_outs.c.customer_id).where(opt_outs.c.channel == channel)
    return own.union(keys_of(own))


def opted_out(tx: Connection) -> set[tuple[str, str]]:
    """The same for every channel, as pairs of a key and a channel."""
    return {(key, channel) for channel in CHANNELS for key in tx.scalars(stopped_on(channel))}

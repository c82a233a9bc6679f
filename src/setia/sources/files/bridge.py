"""From the figure that the shop's own system shows to Setia's net sales: every difference by its reason, exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from setia.kernel.i18n import N_
from setia.sources.files.sales import counted_nowhere, total
from setia.sources.files.understood import ROWS, Stated, Understood
from setia.warehouse.duck import quoted

if TYPE_CHECKING:
    import duckdb

REASONS = {
    "cancelled": N_("cancelled orders"),
    "undelivered": N_("parcels that could not be handed over (cash on delivery and others)"),
    "test": N_("trial orders"),
    "staff": N_("orders of the shop's own people"),
    "shipping": N_("shipping"),
    "tax": N_("tax"),
    "platform_voucher": N_("vouchers that the marketplace pays"),
    "seller_voucher": N_("vouchers and discounts that the shop pays"),
    "fees": N_("fees"),
    "tips": N_("tips"),
    "gift_cards": N_("gift cards sold"),
    "currency": N_("another currency"),
    "rounding": N_("rounding"),
    "other": N_("what the file does not explain"),
    "moved": N_("orders that are dated otherwise (day of payment or delivery, time zone)"),
    "returns": N_("returns and refunds"),
}
"""Why Setia's figure is another, in the order in which it is told."""
_NOWHERE = ("cancelled", "undelivered", "test", "staff")


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the bridge: `stated` and all steps make `net`, to the last unit."""

    currency: str
    month: dt.date | None
    """First day of the month, None for the whole file."""
    stated: Decimal
    steps: Mapping[str, Decimal]
    """Reason to amount, without those of nothing."""
    net: Decimal
    """Setia's net sales."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Your system says X, Setia says Y, because …"""

    stated: str
    """What the system calls its figure."""
    whole: list[Account] = field(default_factory=list)
    """One for each currency."""
    months: list[Account] = field(default_factory=list)


def staged(stated: Stated) -> dict[str, str]:
    """The columns that a bridge needs of each row, over the reads."""
    adds = {f"adds.{reason}": sql for reason, sql in stated.adds.items()}
    at = {"stated_day": f"{stated.at}_day"} if stated.at else {}
    return {"stated": stated.sql, **adds, **at}


def select(has: Set[str], stated: Stated, currency: str) -> str:
    """One row per order of `{rows}`: its currency, months, figures, and whether it counts nowhere."""
    nowhere = {
        "undelivered": "max(undelivered_at) is not null" if "undelivered_at" in has else "false",
        "test": "coalesce(bool_or(is_test), false)" if "is_test" in has else "false",
        "staff": "coalesce(bool_or(is_staff), false)" if "is_staff" in has else "false",
        "cancelled": counted_nowhere(has) or "false",
    }
    why = " ".join(f"when {check} then '{reason}'" for reason, check in nowhere.items())
    adds = "".join(f", coalesce(max({quoted('adds.' + r)}), 0) as {quoted('adds.' + r)}" for r in stated.adds)
    own = f"coalesce(max(currency), '{currency}')" if "currency" in has else f"'{currency}'"
    gone = "sum(amount) filter (where line_cancelled_at is not null)" if "line_cancelled_at" in has else "0"
    at = "coalesce(max(stated_day), min(day))" if stated.at else "min(day)"
    sale = "where not coalesce(is_return, false)" if "is_return" in has else ""
    return f"""select {own} as currency, date_trunc('month', {at})::date as stated_month,
        date_trunc('month', min(day))::date as month, coalesce(max(stated), 0) as stated, {total(has)} as total,
        case {why} end as nowhere, -coalesce({gone}, 0) as cancelled_lines{adds}
        from {ROWS} {sale} group by number"""


def build(duck: duckdb.DuckDBPyConnection, understood: Understood, rows: str) -> Bridge | None:
    """The bridge of one export from its staged rows; None where its system states nothing."""
    if understood.bridge is None or understood.stated is None:
        return None
    name = f"bridge_{rows}"
    duck.execute(f"create temp table {name} as {understood.bridge.replace(ROWS, rows)}")
    columns = [str(c[0]) for c in duck.execute(f"describe {name}").fetchall()]
    reasons = [reason for reason in REASONS if f"adds.{reason}" in columns]
    returns = understood.facts.get("returns", "").replace(ROWS, rows)
    found = Bridge(understood.stated)
    found.whole.extend(_accounts(duck, name, reasons, returns, by_month=False))
    found.months.extend(_accounts(duck, name, reasons, returns, by_month=True))
    duck.execute(f"drop table {name}")
    return found


def _accounts(
    duck: duckdb.DuckDBPyConnection, name: str, reasons: list[str], returns: str, *, by_month: bool
) -> list[Account]:
    stated_month, month = ("stated_month", "month") if by_month else ("null::date", "null::date")
    adds = ", ".join(
        f"sum({quoted('adds.' + r)}) filter (where nowhere is null) as {quoted('adds.' + r)}" for r in reasons
    )
    gone = ", ".join(f"-sum(stated) filter (where nowhere = '{r}') as {quoted('gone ' + r)}" for r in _NOWHERE)
    given_back = "select null::varchar as currency, null::date as m, 0 as amount where false"
    if returns:
        day = "date_trunc('month', day)::date" if by_month else "null::date"
        given_back = f"select currency, {day} as m, sum(amount::decimal(18,4)) as amount from ({returns}) group by all"
    rows = duck.execute(
        f"""with s as (select currency, {stated_month} as m, sum(stated) as stated, {gone},
                sum(cancelled_lines) filter (where nowhere is null) as lines,
                sum(total) filter (where nowhere is null) as stated_total{", " + adds if adds else ""}
                from {name} group by all),
            p as (select currency, {month} as m, sum(total) filter (where nowhere is null) as total
                from {name} group by all),
            r as ({given_back}),
            k as (select currency, m from s union select currency, m from p union select currency, m from r)
        select k.currency, k.m, s.stated, s.stated_total, p.total, r.amount, s.lines,
            {", ".join(f"s.{quoted('gone ' + r)}" for r in _NOWHERE)}
            {"".join(f", s.{quoted('adds.' + r)}" for r in reasons)}
        from k left join s on s.currency = k.currency and s.m is not distinct from k.m
        left join p on p.currency = k.currency and p.m is not distinct from k.m
        left join r on r.currency = k.currency and r.m is not distinct from k.m order by k.currency, k.m"""
    ).fetchall()
    return [_account(row, reasons) for row in rows]


def _account(row: tuple[object, ...], reasons: list[str]) -> Account:
    currency, month = row[:2]
    figures = [value if isinstance(value, Decimal) else Decimal(str(value or 0)) for value in row[2:]]
    stated, by_statement, by_order, returned, lines = figures[:5]
    steps = dict(zip(_NOWHERE, figures[5:], strict=False))
    steps["cancelled"] += lines
    adds = dict(zip(reasons, figures[5 + len(_NOWHERE) :], strict=True))
    steps |= {reason: steps.get(reason, Decimal(0)) + amount for reason, amount in adds.items()}
    steps["other"] = by_statement - stated - sum(steps.values())
    steps["moved"] = by_order - by_statement
    steps["returns"] = -returned
    kept = {reason: steps[reason] for reason in REASONS if steps.get(reason)}
    assert isinstance(currency, str) and (month is None or isinstance(month, dt.date))
    return Account(currency, month, stated, kept, stated + sum(kept.values(), Decimal(0)))

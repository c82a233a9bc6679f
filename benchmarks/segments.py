"""How long traits, stages and segments take, against SQL written by hand, and a refresh after a little news.

    python benchmarks/segments.py --part segments traits refresh --runs 3 --work bench-work

Three parts. `segments`: fifty segments over a million customers and fifty million events, thirty of them asking for
behaviour in a window, evaluated together by Setia into bits per customer, against one pass over the events written by
hand in DuckDB's SQL that counts for the same questions (to the same bits, asserted first). `traits`: every trait, the
stages and the usual segments of 0.1, 1 and 5 million customers with 6.4 orders each, against a DuckDB script written by
hand for the traits alone, each in a process of its own. `refresh`: `shop.refresh()` of a million customers after one in
a hundred has ordered again, against a refresh from scratch of the same shop.

Runs are interleaved; times are on the wall, median and range; memory is the process's highest resident set. Limits:
segments at most 2 times the pass, traits with stages and segments at most 3 times the script and under 4 GiB at a
million.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import metrics as shops
import refreshing
from setia.app import Shop
from setia.conditions.condition import Condition, Words
from setia.customers.traits import WORDS
from setia.history.scope import Scope
from setia.segments import standing
from setia.segments.saved import USUAL, Segment
from setia.settings import WarehouseSettings
from setia.warehouse import duck
from setia.warehouse.files import DataFile
from setia.warehouse.reader import Reader

AS_OF = dt.date(2026, 1, 1)
SCOPE = Scope(AS_OF, "IDR", "UTC")
NAMES = ("Page Viewed", "Product Viewed", "Product Added", "Product Searched", "Order Completed", "App Opened",
         "Coupon Applied", "Review Left")  # fmt: skip
DEVICES = ("mobile", "desktop", "tablet")


def timed(runs: int, **what: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds of each, one after the other, so many times."""
    took: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(runs):
        for name, run in what.items():
            start = time.perf_counter()
            run()
            took[name].append(time.perf_counter() - start)
    return took


def said(seconds: list[float]) -> str:
    """Median and range."""
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


# Fifty segments.


def make_events(folder: Path, customers: int, events: int) -> None:
    """A year of events by day as a shop's files have them, one in five on a device without a sign-in, and traits."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = ", ".join(f"{json.dumps(name)}" for name in NAMES).replace('"', "'")
    devices = ", ".join(f"'{name}'" for name in DEVICES)
    with duck.connect(WarehouseSettings(memory="4GB"), folder) as connection:
        shops.written(connection, folder, "events", f"""
            with drawn as (select i, hash(i, 1) % {customers} as who, (i * 365 // {events})::int as d,
                (hash(i, 2) % 86400)::int as second from range({events}) r(i))
            select 'e' || i as event_id, case when hash(i, 3) % 5 > 0 then 'C' || who end as customer_id,
                ([{fields}])[1 + (hash(i, 4) % 8)::int] as name,
                timestamptz '2025-01-01 00:00:00+00' + to_days(d) + to_seconds(second) as occurred_at,
                date '2025-01-01' + d as day, 'p' || hash(i, 5) % 500 as product_id, 'v' || who as visitor,
                ([{devices}])[1 + (hash(i, 6) % 3)::int] as device, 'web' as platform from drawn""")  # fmt: skip
        connection.execute(f"""
            copy (select 'C' || i as customer_id, (hash(i, 7) % 9)::bigint as orders, (hash(i, 8) % 400)::bigint as
                days_since_last_order, (10 + hash(i, 9) % 60)::double as usual_gap_days, (hash(i, 10) % 5 + 1)::bigint as rfm_value,
                (hash(i, 11) % 1000)::decimal(18, 4) as net_revenue, (['dormant', 'lost', 'loyalty', 'activation'])[1 +
                (hash(i, 12) % 4)::int] as stage from range({customers}) r(i))
            to '{folder / "traits.parquet"}' (format parquet)""")  # fmt: skip


def fifty() -> list[tuple[str, str]]:
    """Conditions in Setia's language, and the same in SQL over `t` (traits) and columns that the pass has made."""
    found = []
    for n in range(30):
        name, days, least = NAMES[n % 8], (7, 14, 30, 60, 90, 180)[n % 6], 1 + n % 4
        device = DEVICES[n % 3]
        found.append((
            f"count_events('{name}', {days}, device = '{device}') >= {least} and orders >= {n % 5}",
            f"coalesce(count(*) filter (name = '{name}' and day >= date '{AS_OF}' - {days} and device = '{device}'), 0) >= {least}"
            f"|orders >= {n % 5}",
        ))  # fmt: skip
    for n in range(10):
        found.append((f"days_since_event('{NAMES[n % 8]}') < {10 + n * 5} and rfm_value > {n % 5}",
                      f"date '{AS_OF}' - 1 - max(day) filter (name = '{NAMES[n % 8]}') < {10 + n * 5}|rfm_value > {n % 5}"))  # fmt: skip
    for n in range(10):
        found.append((f"days_since_last_order > {1 + n / 10} * usual_gap_days and net_revenue > {100 * n}",
                      f"|days_since_last_order > {1 + n / 10} * usual_gap_days and net_revenue > {100 * n}"))  # fmt: skip
    return found


def by_setia(folder: Path) -> None:
    """Into a file of bits, as a refresh writes them."""
    conditions = [Condition.parse(text, Words(WORDS.traits)) for text, _sql in fifty()]
    segments = [Segment(f"s{n}", "", each, is_own=True) for n, each in enumerate(conditions)]
    with duck.connect(WarehouseSettings(), folder) as connection:
        own = Reader(connection, folder, [DataFile("events", None, "events.parquet", 50_000_000, 2)])
        expression = standing.held(own, SCOPE, own.ibis.read_parquet(folder / "traits.parquet"), segments)
        connection.execute(f"copy ({own.ibis.compile(expression)}) to '{folder / 'setia.bits'}' (format parquet)")


def by_hand(folder: Path, *, devices: bool = True) -> None:
    """One pass over the events for all fifty, then the traits; without `devices` of signed-in events alone."""
    asked = [sql.partition("|") for _text, sql in fifty()]
    behaviour = {n: part[0] for n, part in enumerate(asked) if part[0]}
    columns = ", ".join(f"{sql} as b{n}" for n, sql in behaviour.items())
    bits = ", ".join(
        f"coalesce(b{n}, false) and coalesce({part[2]}, false) as s{n}" if n in behaviour
        else f"coalesce({part[2]}, false) as s{n}" for n, part in enumerate(asked)
    )  # fmt: skip
    owned = (
        "(select visitor, max(customer_id) as owner from events where customer_id is not null "
        "group by visitor having max(customer_id) = min(customer_id))"
    )
    whose, who = "customer_id", ""
    if devices:
        whose = "coalesce(e.customer_id, d.owner)"
        who = f"left join {owned} d on d.visitor = e.visitor and e.customer_id is null"
    with duck.connect(WarehouseSettings(), folder) as connection:
        connection.execute(f"create view events as from read_parquet('{folder / 'events.parquet'}')")
        connection.execute(
            f"copy (with pass as (select {whose} as customer_id, {columns} from events e {who} "
            f"where day < date '{AS_OF}' group by 1) "
            f"select customer_id, {bits} from read_parquet('{folder / 'traits.parquet'}') left join pass using (customer_id)) "
            f"to '{folder / ('hand.bits' if devices else 'plain.bits')}' (format parquet)"
        )


def segments(work: Path, runs: int) -> None:
    """Fifty segments over a million customers and fifty million events."""
    folder = work / "fifty"
    if not (folder / "events.parquet").exists():
        make_events(folder, 1_000_000, 50_000_000)
    took = timed(runs, setia=lambda: by_setia(folder), hand=lambda: by_hand(folder),
                 plain=lambda: by_hand(folder, devices=False))  # fmt: skip
    with duck.connect(WarehouseSettings(), folder) as connection:
        conditions = [Condition.parse(text, Words(WORDS.traits)) for text, _sql in fifty()]
        names = [standing.column(Segment(f"s{n}", "", each, is_own=True)) for n, each in enumerate(conditions)]
        same = " and ".join(
            f'((s."{name}" = {standing.whole(each)}) = h.s{n})'
            for n, (name, each) in enumerate(zip(names, conditions, strict=True))
        )
        ((rows, equal, inside),) = connection.execute(
            f"select count(*), count(*) filter ({same}), count(*) filter (h.s3) from read_parquet('{folder / 'setia.bits'}') s "
            f"join read_parquet('{folder / 'hand.bits'}') h using (customer_id)"
        ).fetchall()
    if not rows == equal == 1_000_000 or not 0 < inside < rows:
        raise SystemExit(f"{rows} customers, {equal} alike, {inside} in one of the segments")
    for name, what in (("hand", "one pass by hand"), ("plain", "one that leaves out what is done without signing in")):
        ratio = median(a / b for a, b in zip(took["setia"], took[name], strict=True))
        print(f"fifty segments: Setia {said(took['setia'])}, {what} {said(took[name])}, ratio {ratio:.2f} (limit 2)")


# Traits, stages and segments.

SCRIPT = """
    create temp table o as select customer_id, day, count(*) as orders, coalesce(sum(total), 0) as revenue,
        coalesce(sum(discount), 0) as discount, count(code) as vouchers from orders
        where customer_id is not null and day < date '{as_of}' and (cancelled_at is null or cancelled_at >= timestamptz '{until}')
          and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
        group by 1, 2;
    create temp table gaps as select *, day - lag(day) over (partition by customer_id order by day) as gap from o;
    create temp table bought as select customer_id, sum(orders) as orders,
        sum(orders) filter (day >= date '{as_of}' - 90) as orders_90d, sum(orders) filter (day >= date '{as_of}' - 365) as orders_365d,
        count(*) as purchase_days, min(day) as first_day, max(day) as last_day, max(day) - min(day) as recency,
        sum(revenue) as gross_revenue, sum(revenue) filter (day >= date '{as_of}' - 365) as revenue_365d,
        arg_min(revenue, day) as first_day_revenue, arg_max(gap, day) as last_gap, stddev_pop(gap) / avg(gap) as gap_spread,
        sum(vouchers) as orders_with_voucher, sum(discount) as discounts from gaps group by 1;
    create temp table valid as select document_id, customer_id, channel from orders
        where customer_id is not null and day < date '{as_of}' and (cancelled_at is null or cancelled_at >= timestamptz '{until}');
    create temp table channels as select customer_id, arg_max(channel, n) as favourite_channel from
        (select customer_id, channel, count(*) as n from valid group by all) group by 1;
    create temp table lines as select v.customer_id, l.product_id, p.category, sum(l.amount) as amount from order_lines l
        join valid v using (document_id) left join products p using (product_id) group by all;
    create temp table favourites as select customer_id, arg_max(product_id, amount) as favourite_product from lines group by 1;
    create temp table categories as select customer_id, arg_max(category, amount) as favourite_category from
        (select customer_id, category, sum(amount) as amount from lines group by all) group by 1;
    create temp table back as select coalesce(r.customer_id, o.customer_id) as customer_id, count(*) as returns, sum(r.amount) as returned
        from returns r left join orders o on o.order_id = r.order_id where r.day < date '{as_of}'
        and (o.cancelled_at is null or o.cancelled_at >= timestamptz '{until}') group by 1;
    create temp table steps as select customer_id, occurred_at as moment, day from events where customer_id is not null
        and day < date '{as_of}' and day >= date '{as_of}' - 91
        union all select customer_id, placed_at, day from orders where customer_id is not null and day < date '{as_of}' and day >= date '{as_of}' - 91
        and (cancelled_at is null or cancelled_at >= timestamptz '{until}');
    create temp table begun as select *, coalesce(moment - lag(moment) over (partition by customer_id order by moment) > interval 30 minutes, true)::int as b from steps;
    create temp table sessions as select customer_id, n, min(day) as day from
        (select *, sum(b) over (partition by customer_id order by moment, b desc) as n from begun) group by 1, 2;
    create temp table visits as select customer_id, count(*) filter (day >= date '{as_of}' - 7) as visits_7d,
        count(*) filter (day >= date '{as_of}' - 30) as visits_30d, count(*) filter (day >= date '{as_of}' - 90) as visits_90d,
        count(*) filter (day >= date '{as_of}' - 60 and day < date '{as_of}' - 30) as visits_30d_before from sessions group by 1;
    create temp table seen as select customer_id, max(day) as seen from events where day < date '{as_of}' group by 1;
    create temp table mails as select customer_id, count(*) filter (day >= date '{as_of}' - 90) as messages_90d,
        count(*) filter (day >= date '{as_of}' - 90 and opened_at < timestamptz '{until}') as opened_90d, max(day) as last_message
        from messages where state <> 'rejected' and day < date '{as_of}' group by 1;
    create temp table nps as select customer_id, arg_max(score, answered_at) as last_nps, max(day) as nps_day from answers
        where survey = 'nps' and day < date '{as_of}' group by 1;
    create temp table asked as select customer_id, count(*) filter (day >= date '{as_of}' - 90) as cases_90d,
        count(*) filter (resolved_at is null or resolved_at >= timestamptz '{until}') as open_cases from cases where day < date '{as_of}' group by 1;
    create temp table subs as select customer_id, bool_or(ended_at is null or ended_at >= timestamptz '{until}') as runs,
        sum(amount) as monthly, min(started_at) as since, max(ended_at) as ended from subscriptions group by 1;
    create temp table everybody as select customer_id from customers union select customer_id from bought union select customer_id from seen;
    copy (select e.customer_id, c.* exclude (customer_id), b.* exclude (customer_id), favourite_channel, favourite_product, favourite_category,
        returns, returned, gross_revenue - coalesce(returned, 0) as net_revenue, visits_7d, visits_30d, visits_90d, visits_30d_before,
        date '{as_of}' - 1 - seen as days_since_last_visit, messages_90d, opened_90d, last_message, last_nps, nps_day, cases_90d, open_cases,
        runs, monthly, since, ended, (2 * 40.0 + recency) / (1 + purchase_days) as usual_gap_days,
        c.email_consent_at is not null and c.email_optout_at is null as reachable_email
        from everybody e left join customers c using (customer_id) left join bought b using (customer_id) left join channels using (customer_id)
        left join favourites using (customer_id) left join categories using (customer_id) left join back using (customer_id)
        left join visits using (customer_id) left join seen using (customer_id) left join mails using (customer_id)
        left join nps using (customer_id) left join asked using (customer_id) left join subs using (customer_id))
    to '{target}' (format parquet)
"""

CHILD = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
import segments
start = time.perf_counter()
getattr(segments, sys.argv[2])(segments.Path(sys.argv[3]), sys.argv[4])
took = time.perf_counter() - start
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


def traits_by_setia(folder: Path, memory: str) -> None:
    """All traits that follow from facts, stages among them, and the usual segments, as a refresh makes them."""
    from setia.customers.traits import OBSERVED, happened, judged, with_needs

    own = shops.reader(folder, memory)
    wanted = with_needs(shops.SCOPE, OBSERVED)
    target = folder / "out"
    target.mkdir(exist_ok=True)

    def write(name: str, expression: Any) -> Any:
        own.duck.execute(f"copy ({own.ibis.compile(expression)}) to '{target / name}' (format parquet)")
        return own.ibis.read_parquet(target / name)

    found = write("judged", judged(write("happened", happened(own, shops.SCOPE, wanted)), shops.SCOPE, 40.0))
    usual = [Segment(name, title, Condition.parse(text, WORDS), is_own=False) for name, (title, text) in USUAL.items()]
    write("standing", standing.held(own, shops.SCOPE, found, usual))


def traits_by_script(folder: Path, memory: str) -> None:
    """The script."""
    own = shops.reader(folder, memory)
    (folder / "out").mkdir(exist_ok=True)
    own.duck.execute(
        SCRIPT.format(as_of=shops.AS_OF, until=shops.SCOPE.until.isoformat(), target=folder / "out" / "script.parquet")
    )


def traits(work: Path, runs: int, sizes: list[int]) -> None:
    """Sizes in turn."""
    for customers in sizes:
        folder = work / f"traits-{customers}"
        # With the default of a gigabyte the script does not end at five millions.
        memory = "1GB" if customers <= 1_000_000 else "4GB"
        if not (folder / "orders.parquet").exists():
            shops.make(folder, customers, more=True)
        done: dict[str, list[tuple[float, int]]] = {"traits_by_setia": [], "traits_by_script": []}
        for _ in range(runs):
            for name, results in done.items():
                here = str(Path(__file__).parent)
                answer = subprocess.run([sys.executable, "-c", CHILD, here, name, str(folder), memory], check=True,
                                        stdout=subprocess.PIPE, text=True).stdout  # fmt: skip
                results.append(tuple(json.loads(answer)))
        ours, script = done["traits_by_setia"], done["traits_by_script"]
        _same(folder)
        ratio = median(a[0] / b[0] for a, b in zip(ours, script, strict=True))
        print(
            f"{customers:>9,} customers: traits, stages, segments {said([t for t, _ in ours])}, "
            f"{max(m for _, m in ours) / 2**20:.0f} MiB; traits by hand {said([t for t, _ in script])}, "
            f"{max(m for _, m in script) / 2**20:.0f} MiB; ratio {ratio:.2f} (limit 3)",
            flush=True,
        )


def _same(folder: Path) -> None:
    """Some of what both have made is the same for everybody."""
    with duck.connect(WarehouseSettings(), folder) as connection:
        ((rows, equal),) = connection.execute(
            "select count(*), count(*) filter (s.orders is not distinct from coalesce(h.orders, 0) "
            "and s.net_revenue is not distinct from coalesce(h.gross_revenue, 0) - coalesce(h.returned, 0) "
            "and s.visits_90d = coalesce(h.visits_90d, 0) and s.last_gap is not distinct from h.last_gap "
            "and s.favourite_product is not null = (h.favourite_product is not null)) "
            f"from read_parquet('{folder / 'out' / 'judged'}') s join read_parquet('{folder / 'out' / 'script.parquet'}') h "
            "using (customer_id)"
        ).fetchall()
    if rows != equal:
        raise SystemExit(f"{rows - equal} of {rows} customers are others by hand")


# A refresh after a little news.


def refresh(work: Path, runs: int, orders: int = 7_300_000) -> None:
    """After one customer in a hundred has ordered again."""
    file = work / "orders.parquet"
    refreshing.make(file, orders)
    took: dict[str, list[float]] = {"with news": [], "from scratch": []}
    news = 0
    with refreshing.fresh_shop(work / "shop", None) as folder, Shop.open(folder) as shop:
        shop.import_files([file])
        shop.refresh()
        customers = shop.customers.traits(["orders"]).num_rows
        for n in range(runs):
            more = work / "orders.csv"
            with more.open("w", encoding="utf-8") as written:
                written.write("order_id,customer_id,placed_at,total\n")
                for who in range(n, customers, 100):
                    written.write(f"n{n}-{who},C{who},{dt.date(2025, 6, 20) + dt.timedelta(days=n)} 10:00:00,50\n")
            shop.import_files([more])
            start = time.perf_counter()
            news = shop.refresh().with_news or 0
            took["with news"].append(time.perf_counter() - start)
            kept = shop.sql("select hash(t) as h from traits t order by 1")
            start = time.perf_counter()
            shop.refresh(from_scratch=True)
            took["from scratch"].append(time.perf_counter() - start)
            if kept != shop.sql("select hash(t) as h from traits t order by 1"):
                raise SystemExit("a refresh by news has given other traits than one from scratch")
    ratio = median(a / b for a, b in zip(took["with news"], took["from scratch"], strict=True))
    print(
        f"refresh of {customers:,} customers, {news:,} with news: {said(took['with news'])}, "
        f"from scratch {said(took['from scratch'])}, ratio {ratio:.2f}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", default=["segments", "traits", "refresh"])
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    work: Path = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    if "segments" in given.part:
        segments(work, given.runs)
    if "traits" in given.part:
        traits(work, given.runs, given.customers)
    if "refresh" in given.part:
        refresh(work, given.runs)


if __name__ == "__main__":
    main()

"""How long metrics take, against queries written by hand and against pandas, and how they grow with the shop.

    python benchmarks/metrics.py --customers 1000000 --orders 100000 1000000 10000000 --runs 5 --work bench-work

Three parts. `cohorts`: the monthly cohort table of a million customers with 6.4 million orders, from Parquet to its
cells, through `METRICS["cohorts"]`, as a hand-written DuckDB bit-mask query, and as pandas on the same columns; then
every variant and three breakdowns on one reader. `all`: every metric with its defaults at several sizes, each size in a
process of its own, against the sum of the hand-written check queries for the same windows (the newest, the one before,
the year before); `spark` (asked for by name, needs `setia[spark]` and Java): every metric under Spark, for the record.
Equal results are asserted first. Runs are interleaved; times are on the wall and of CPU, median and
range; memory is the process's highest resident set. Limits: the library at most 1.2 times the bit-mask query and at
least 3 times faster than pandas, all variants and breakdowns at most 3 times one query; time and memory an order do not
grow; ten million orders under 4 GiB.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from setia.facts import FACTS
from setia.history.scope import Scope
from setia.history.windows import Window
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import Measure
from setia.settings import WarehouseSettings
from setia.warehouse import duck
from setia.warehouse.files import DataFile
from setia.warehouse.reader import Reader

START, DAYS, JOINING = dt.date(2023, 1, 1), 900, 730
AS_OF = START + dt.timedelta(days=DAYS)
SCOPE = Scope(AS_OF, "IDR", "Asia/Jakarta")
ORDERS_EACH = 6.36


def make(folder: Path, customers: int, skewed: bool = False, more: bool = False) -> list[DataFile]:
    """Write a shop's facts as Parquet, the same for the same numbers: order rates gamma distributed, drawn once.

    `skewed`: one customer in a hundred places about three orders in ten. `more`: visits, returns and the rest as well.
    """
    draw = np.random.default_rng(42)
    joined = draw.integers(0, JOINING, customers)
    rate = draw.gamma(0.9, 1 / 90, customers)
    if skewed:
        rate *= np.where(np.arange(customers) % 100 == 0, 42, 0.7)
    count = 1 + draw.poisson(rate * (DAYS - joined))
    who = np.repeat(np.arange(customers), count)
    first = np.concatenate([[True], who[1:] != who[:-1]])
    day = np.where(first, joined[who], joined[who] + draw.random(len(who)) * (DAYS - joined[who])).astype(np.int32)
    total = np.round(draw.lognormal(3.5, 0.7, len(who)) * 1000, -2)
    mix = draw.permutation(len(who))
    epoch = (START - dt.date(1970, 1, 1)).days
    table = pa.table({
        "n": np.arange(len(who)), "who": who[mix], "day": day[mix] + epoch, "second": draw.integers(0, 57_600, len(who)),
        "total": total[mix], "cancelled": draw.random(len(who)) < 0.03,
    })  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("load icu; set timezone = 'UTC'")
    connection.register("drawn", table)
    placed = "timestamptz '1970-01-01 00:00:00+00' + to_days(day) + to_seconds(second)"
    listed = [written(connection, folder, "orders", f"""
        select 'o' || n as order_id, 'o' || n as document_id, 'C' || who as customer_id, {placed} as placed_at,
            date '1970-01-01' + day as day, 'IDR' as currency, total, case when cancelled then {placed} end as cancelled_at,
            case when n % 3 = 0 then 'app' else 'web' end as channel, case when n % 7 = 0 then 'MY' else 'ID' end as country
        from drawn""")]  # fmt: skip
    if more:
        listed += [written(connection, folder, name, sql.format(placed=placed)) for name, sql in MORE.items()]
    return listed


MORE = {
    "customers": "select distinct 'C' || who as customer_id, 'c' || who || '@example.com' as email, "
    "case who % 3 when 0 then 'meta' when 1 then 'tiktok' else 'friend' end as source, "
    "case when who % 5 > 0 then timestamptz '2023-01-01 00:00:00+00' end as email_consent_at from drawn",
    "events": "select 'e' || n || '-' || k as event_id, 'C' || who as customer_id, "
    "case when k = 1 then 'Product Added' else 'Product Viewed' end as name, {placed} - to_minutes(2 * k) as occurred_at, "
    "date '1970-01-01' + day as day, case when n % 4 = 0 then 'desktop' else 'mobile' end as device, 'web' as platform "
    "from drawn, range(1, 3) events(k)",
    "order_lines": "select 'o' || n as order_id, 'o' || n as document_id, 'p' || n % 50 as product_id, 1 as quantity, "
    "total as amount, {placed} as placed_at, date '1970-01-01' + day as day from drawn",
    "returns": "select 'r' || n as return_id, 'r' || n as document_id, 'o' || n as order_id, 'C' || who as customer_id, "
    "1 as quantity, total as amount, {placed} as returned_at, date '1970-01-01' + day + 5 as day from drawn where n % 30 = 0",
    "answers": "select 'a' || n as answer_id, 'C' || who as customer_id, 'nps' as survey, n % 11 as score, 10 as scale, "
    "{placed} as answered_at, date '1970-01-01' + day as day from drawn where n % 50 = 0",
    "messages": "select 'm' || n as message_id, 'C' || who as customer_id, 'win-back' as programme, 'email' as channel, "
    "'accepted' as state, 50 as cost, {placed} as sent_at, {placed} as delivered_at, "
    "case when n % 3 = 0 then {placed} end as opened_at, date '1970-01-01' + day as day from drawn where n % 10 = 0",
    "costs": "select 'k' || d as cost_id, 'advertising' as category, 'meta' as channel, 500000 as amount, "
    "timestamptz '2023-01-01 00:00:00+00' + to_days(d::int) as spent_at, date '2023-01-01' + d::int as day from range(900) days(d)",
    "subscriptions": "select 's' || who as subscription_id, 'C' || who as customer_id, 100000 as amount, 1 as period_months, "
    "min({placed}) as started_at, case when who % 3 = 0 then min({placed}) + interval 200 days end as ended_at "
    "from drawn where who % 20 = 0 group by who",
    "cases": "select 'q' || n as case_id, 'C' || who as customer_id, 'delivery' as reason, {placed} as opened_at, "
    "{placed} + to_minutes((n % 3000)::int) as first_response_at, {placed} + to_minutes((n % 9000)::int) as resolved_at, "
    "date '1970-01-01' + day as day from drawn where n % 40 = 0",
}


def written(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, select: str) -> DataFile:
    """One fact table in its declared types, columns that it does not have null."""
    fact, path = FACTS[name], folder / f"{name}.parquet"
    blank = ", ".join(f"null::{field.kind.value} as {field.name}" for field in fact.fields)
    typed = ", ".join(f"{field.name}::{field.kind.value} as {field.name}" for field in fact.fields)
    source = f"select {typed} from (select {blank} where false union all by name ({select}))"
    ((rows,),) = connection.execute(f"copy ({source}) to '{path}' (format parquet)").fetchall()
    return DataFile(name, None, path.name, int(rows), fact.version)


def listed_in(folder: Path) -> list[DataFile]:
    """The files that `make` wrote."""
    return [
        DataFile(path.stem, None, path.name, pq.read_metadata(path).num_rows, FACTS[path.stem].version)
        for path in sorted(folder.glob("*.parquet"))
    ]


def reader(folder: Path, memory: str = "1GB", threads: int | None = None) -> Reader:
    """A reader of these files with the default settings."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    limits = WarehouseSettings(memory=memory, threads=threads)
    return Reader(duck.connect(limits, scratch), folder, listed_in(folder))


BIT_MASK = """
    with masks as (
        select customer_id, min(p) as first, bit_or(1::bigint << greatest(p, 0)) as mask from (
            select customer_id, datediff('month', date '{oldest}', date_trunc('month', day)) as p from read_parquet('{orders}')
            where customer_id is not null and day < date '{as_of}' and (cancelled_at is null or cancelled_at >= timestamptz '{until}')
              and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
        ) group by customer_id
    ),
    counted as (select first, mask >> first as mask, count(*) as n from masks where first >= 0 group by 1, 2)
    select first, {cells} from counted group by first order by first"""


def by_hand(folder: Path, cohorts: int = 30) -> dict[tuple[dt.date, int], int]:
    """The same table as one DuckDB query that somebody would write who knows the trick."""
    connection = duck.connect(WarehouseSettings(), folder / "scratch")
    months = [(AS_OF.year * 12 + AS_OF.month - 1) - (cohorts - 1) + n for n in range(cohorts)]
    first_days = [dt.date(m // 12, m % 12 + 1, 1) for m in months]
    cells = ", ".join(f"sum(n) filter ((mask >> {k}) & 1 = 1)" for k in range(cohorts))
    sql = BIT_MASK.format(
        oldest=first_days[0], orders=folder / "orders.parquet", as_of=AS_OF, until=SCOPE.until.isoformat(), cells=cells
    )
    found = connection.execute(sql).fetchall()
    return {(first_days[row[0]], k): int(n) for row in found for k, n in enumerate(row[1:]) if n}


def library(folder: Path) -> dict[tuple[dt.date, int], int]:
    """Through Setia, a fresh reader each time."""
    rows = METRICS["cohorts"].ask(reader(folder), SCOPE, most_cohorts=30).rows()
    return {(row["cohort"], row["age"]): row["customers"] for row in rows if row["customers"]}


def with_pandas(folder: Path) -> dict[tuple[dt.date, int], int]:
    """Distinct customer and month, then counts: the quick way in pandas."""
    import pandas as pd

    columns = ["customer_id", "day", "cancelled_at", "is_test", "is_staff", "is_adjustment"]
    frame = pd.read_parquet(folder / "orders.parquet", columns=columns)
    frame = frame[frame["cancelled_at"].isna()]
    days = pd.to_datetime(frame["day"])
    months = pd.DataFrame({"customer_id": frame["customer_id"], "month": days.dt.year * 12 + days.dt.month - 1})
    months = months.drop_duplicates()
    months["cohort"] = months.groupby("customer_id", sort=False)["month"].transform("min")
    counts = months.groupby(["cohort", months["month"] - months["cohort"]]).size()
    newest = AS_OF.year * 12 + AS_OF.month - 1
    return {
        (dt.date(int(c) // 12, int(c) % 12 + 1, 1), int(age)): int(n)
        for (c, age), n in counts.items()  # type: ignore[misc]
        if c > newest - 30
    }


def everything(folder: Path) -> None:
    """All variants and three breakdowns on one reader."""
    own = reader(folder)
    for options in (
        {},
        {"kind": "on_or_after"},
        {"kind": "bracket"},
        {"by": "first_channel"},
        {"by": "first_country"},
        {"by": "first_voucher"},
    ):
        METRICS["cohorts"].ask(own, SCOPE, most_cohorts=30, **options)  # type: ignore[arg-type]


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the wall, seconds of CPU, and what came back."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - wall, time.process_time() - cpu, found


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"


def cohorts(work: Path, customers: int, runs: int, skewed: bool) -> None:
    """Print the cohort table's times against both others."""
    folder = work / f"cohorts-{customers}{'-skewed' if skewed else ''}"
    made = make(folder, customers, skewed)
    print(f"{customers:,} customers, {made[0].rows:,} orders{', skewed' if skewed else ''}", flush=True)
    sides: dict[str, Callable[[], Any]] = {
        "by hand": lambda: by_hand(folder), "setia": lambda: library(folder), "pandas": lambda: with_pandas(folder),
        "variants and breakdowns": lambda: everything(folder),
    }  # fmt: skip
    cells = {name: sides[name]() for name in ("by hand", "setia", "pandas")}
    if not cells["by hand"] == cells["setia"] == cells["pandas"]:
        raise SystemExit("the three do not agree on the cells")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            wall, cpu, _found = timed(side)
            taken[name].append((wall, cpu))
    walls = {name: [wall for wall, _cpu in each] for name, each in taken.items()}
    for name, each in taken.items():
        print(f"  {name:<24} {spread(walls[name])}, CPU {spread([cpu for _wall, cpu in each])}")
    one = median(walls["by hand"])
    print(f"  setia ÷ by hand {median(walls['setia']) / one:.2f} (limit 1.2), pandas ÷ setia "
          f"{median(walls['pandas']) / median(walls['setia']):.1f} (at least 3), variants and breakdowns ÷ one query "
          f"{median(walls['variants and breakdowns']) / one:.2f} (limit 3)", flush=True)  # fmt: skip


CHILD = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import metrics as bench
from setia.metrics.catalogue import METRICS
if sys.argv[3] == "setia":
    own, taken = bench.reader(Path(sys.argv[1])), {}
    for name, metric in METRICS.items():
        start = time.perf_counter()
        metric.ask(own, bench.SCOPE)
        taken[name] = time.perf_counter() - start
else:
    taken = bench.checks(Path(sys.argv[1]))
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"taken": taken, "cpu": used.ru_utime + used.ru_stime, "bytes": used.ru_maxrss * 1024}))
"""


def windows_of(metric: Any) -> list[Window]:
    """What an answer with the defaults holds: the newest window, the one before, and that of the year before."""
    if not isinstance(metric, Measure):
        return [Window.ending(AS_OF, int(metric.options().get("window_days") or 365))]
    (window,) = metric.shown(SCOPE, None, None, None)
    return [window, window.before(), window.a_year_before()]


def checks(folder: Path) -> dict[str, float]:
    """Seconds of the hand-written queries behind each metric; one that serves several metrics is run for each window once."""
    own, taken, known = reader(folder), {}, set()
    for name, metric in METRICS.items():
        start = time.perf_counter()
        for window in windows_of(metric):
            if (metric.check or name, window) in known:
                continue
            known.add((metric.check or name, window))
            given = {
                "as_of": AS_OF, "moment": SCOPE.until, "currency": SCOPE.currency, "since": window.since,
                "until": window.until, "before": window.before().since, "opens": SCOPE.midnight(window.since),
                "closes": SCOPE.midnight(window.until), "event": None, "days": 30, "minutes": 30,
            }  # fmt: skip
            sql = metric.check_query()
            own.duck.execute(sql, {each: given[each] for each in re.findall(r"\$(\w+)", sql)}).fetchall()
        taken[name] = time.perf_counter() - start
    return taken


def run(folder: Path, side: str) -> dict[str, Any]:
    """One side in a process of its own."""
    root = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), root, side], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def all_metrics(work: Path, orders: int, runs: int, slowest: int = 6) -> None:
    """Print what every metric together takes at one size."""
    folder = work / f"all-{orders}"
    made = {file.table: file.rows for file in make(folder, round(orders / ORDERS_EACH), more=True)}
    sides: dict[str, list[dict[str, Any]]] = {"setia": [], "by hand": []}
    for _ in range(runs):
        for side, found in sides.items():
            found.append(run(folder, side))
    sums = {side: [sum(each["taken"].values()) for each in found] for side, found in sides.items()}
    most = max(each["bytes"] for each in sides["setia"])
    cpu = median(each["cpu"] for each in sides["setia"])
    print(f"{made['orders']:,} orders, {made['events']:,} events: all {len(METRICS)} metrics {spread(sums['setia'])}, "
          f"CPU {cpu:.1f} s, {most / 2**20:.0f} MiB; by hand {spread(sums['by hand'])}; ratio "
          f"{median(sums['setia']) / median(sums['by hand']):.2f}; an order {median(sums['setia']) / made['orders'] * 1e6:.2f} µs, "
          f"{most / made['orders']:.0f} bytes", flush=True)  # fmt: skip
    means = {name: median(each["taken"][name] for each in sides["setia"]) for name in METRICS}
    top = sorted(means.items(), key=lambda item: -item[1])[:slowest]
    print("  slowest: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in top), flush=True)


def on_spark(work: Path, orders: int) -> None:
    """Print, for the record, what every metric together takes under Spark on this machine, beside DuckDB."""
    from pyspark.sql import SparkSession

    from setia.warehouse.spark import SparkReader

    folder = work / f"all-{orders}"
    made = {file.table: file.rows for file in make(folder, round(orders / ORDERS_EACH), more=True)}
    builder = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.sql.ansi.enabled", "true").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    duck_seconds, _cpu, here = timed(lambda: _asked(reader(folder)))
    spark = SparkReader(session, folder, listed_in(folder))
    first, _cpu, there = timed(lambda: _asked(spark))
    spark.close()
    second = SparkReader(session, folder, listed_in(folder))
    again, _cpu, _same = timed(lambda: _asked(second))
    second.close()
    other = [name for name in here if not _close(here[name], there[name])]
    print(f"{made['orders']:,} orders under Spark: all {len(METRICS)} metrics {first:.1f} s, a second time {again:.1f} s; "
          f"DuckDB {duck_seconds:.1f} s; different values: {other or 'none'}", flush=True)  # fmt: skip
    session.stop()


def _asked(facts: Any) -> dict[str, Any]:
    return {name: metric.ask(facts, SCOPE).value for name, metric in METRICS.items()}


def _close(one: Any, other: Any) -> bool:
    return one == other or (one is not None and other is not None and abs(float(one) / float(other) - 1) < 1e-9)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["cohorts", "all", "both", "spark"], default="both")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--skewed", action="store_true")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    work: Path = given.work.resolve()
    if given.part in ("cohorts", "both"):
        cohorts(work, given.customers, given.runs, given.skewed)
    if given.part in ("all", "both"):
        for orders in given.orders:
            all_metrics(work, orders, max(1, given.runs // 2))
    if given.part == "spark":
        for orders in given.orders:
            on_spark(work, orders)


if __name__ == "__main__":
    main()

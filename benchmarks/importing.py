"""How fast an import is and how much memory it takes, side by side with hand-written DuckDB.

    python benchmarks/importing.py --lines 10000000 --runs 3 --work bench-work

Makes a seeded CSV of order lines with the columns of UCI Online Retail (about four lines an order, 36 months, some
cancellations, one line in 500 repeated) and imports it, run by run in turn, each in a process of its own:

    setia     `Shop.import_files` into a fresh shop, its PostgreSQL already running
    by hand   the same five tables from the same file as a competent analyst would write them in DuckDB: typed
              `read_csv` into a temporary table, then a `COPY` per table, cut by month, exact decimals
    copy      DuckDB's bare `COPY` of the CSV into one Parquet file, the limit

Setia and the hand-written script must agree on every table's rows and sums and on a checksum over all orders, or
there is nothing to compare and the script stops. Setia also checks, rejects and counts rows, and could have replaced
older ones. Then a second file that corrects every tenth order, and the whole first file once more, are imported.
Times are of the whole process; memory is the process's highest resident set, without the PostgreSQL server.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

import setia.app
from setia.app import Shop
from setia.settings import ShopSettings
from setia.store.server import destroy

MEMORY = "1GB"
ZONE = "Asia/Jakarta"
TARGET_RATIO, TARGET_BYTES = 1.5, 2 << 30

CHILD = """
import json, resource, sys
work = json.loads(sys.argv[1])
if work["what"] == "setia":
    from setia.app import Shop
    with Shop.open(work["folder"]) as shop:
        answer = {"snapshot": shop.import_files([work["file"]]).snapshot}
else:
    import duckdb
    config = {"memory_limit": work["memory"], "temp_directory": work["scratch"], "preserve_insertion_order": False}
    connection = duckdb.connect(config=config)
    connection.execute("set enable_progress_bar = false")
    connection.execute("set TimeZone = 'UTC'")
    for statement in work["statements"]:
        connection.execute(statement)
    answer = {}
used = resource.getrusage(resource.RUSAGE_SELF)
answer |= {"bytes": used.ru_maxrss * 1024, "processor": used.ru_utime + used.ru_stime}
print(json.dumps(answer))
"""

# Everything about a line follows from the numbers of its order and itself, through seeded hashes.
LINES = """
    with drawn as (
        select o, hash(o, 1) % 100 < 2 as cancelled, 1 + hash(o, 2) % 7 as n,
            case when hash(o, 3) % 20 > 0 then 10000 + ((hash(o, 4) % 1000000 / 1e6) ** 2 * {customers})::bigint end
                as customer,
            timestamp '2023-01-01' + to_minutes((o * (1095 * 1440.0) / {orders})::bigint) as moment
        from range({orders}) orders(o)
    ), lines as (
        select *, unnest(range(n::bigint)) as line from drawn
    ), filled as (
        select *, hash(o, line, 5) % 5000 as product, 1 + hash(o, line, 6) % 12 as units from lines
    ), repeated as (
        select *, unnest(range(case when hash(o, line, 7) % 500 = 0 then 2 else 1 end)) as again from filled
    )
    select if(cancelled, 'C', '') || (500000 + o) as InvoiceNo, (20000 + product)::varchar as StockCode,
        'PRODUCT ' || md5(product::varchar)[:12] || ' IN SET OF ' || product % 9 as Description,
        if(cancelled, -1, 1) * (units::bigint + {extra}) as Quantity, moment as InvoiceDate,
        ((hash(product, 8) % 2000 + 25) / 100)::decimal(9, 2) as UnitPrice, customer as CustomerID,
        ['United Kingdom', 'Germany', 'France', 'EIRE', 'Spain'][1 + (hash(customer, 9) % 5)::bigint] as Country
    from repeated where {where}"""

BY_HAND = (
    """create temp table lines as
        select InvoiceNo, StockCode, Description, Quantity, UnitPrice, CustomerID, Country,
            (Quantity * UnitPrice)::decimal(18, 4) as amount, timezone('{zone}', InvoiceDate) as placed_at,
            InvoiceDate::date as day, date_trunc('month', InvoiceDate)::date as month,
            InvoiceNo like 'C%' and Quantity < 0 as returned
        from read_csv('{file}', header = true, columns = {{InvoiceNo: 'VARCHAR', StockCode: 'VARCHAR',
            Description: 'VARCHAR', Quantity: 'DECIMAL(18,4)', InvoiceDate: 'TIMESTAMP', UnitPrice: 'DECIMAL(18,4)',
            CustomerID: 'VARCHAR', Country: 'VARCHAR'}})""",
    """copy (select InvoiceNo as order_id, InvoiceNo as document_id, max(CustomerID) as customer_id,
            min(placed_at) as placed_at, min(day) as day, 'IDR' as currency, sum(amount)::decimal(18, 4) as total,
            max(Country) as country, sum(amount) < 0 or max(Quantity) <= 0 as is_adjustment, min(month) as month
        from lines where not returned group by InvoiceNo)
        to '{target}/orders' (format parquet, partition_by (month))""",
    """copy (select InvoiceNo as order_id, InvoiceNo as document_id, CustomerID as customer_id,
            StockCode as product_id, Quantity as quantity, UnitPrice as unit_price, amount, placed_at, day, month
        from lines where not returned)
        to '{target}/order_lines' (format parquet, partition_by (month))""",
    """copy (select InvoiceNo || '-' || row_number() over (partition by InvoiceNo) as return_id,
            InvoiceNo as document_id, CustomerID as customer_id, StockCode as product_id, -Quantity as quantity,
            -amount as amount, 'IDR' as currency, placed_at as returned_at, day, month from lines where returned)
        to '{target}/returns' (format parquet, partition_by (month))""",
    """copy (select CustomerID as customer_id, arg_max(Country, placed_at) as country from lines
        where CustomerID is not null group by CustomerID) to '{target}/customers.parquet' (format parquet)""",
    """copy (select StockCode as product_id, arg_max(Description, placed_at) as name, 'IDR' as currency from lines
        group by StockCode) to '{target}/products.parquet' (format parquet)""",
)
BARE = ("copy (select * from read_csv('{file}')) to '{target}/all.parquet' (format parquet)",)

FIGURES = {
    "orders": "count(*), sum(total), count(customer_id), min(placed_at)::varchar, max(placed_at)::varchar, "
    "sum(hash(order_id, document_id, customer_id, placed_at, day, currency, total, country, is_adjustment)::hugeint)",
    "order_lines": "count(*), sum(amount), sum(quantity), sum(hash(order_id, product_id, quantity, amount)::hugeint)",
    "returns": "count(*), sum(amount), sum(quantity), count(distinct return_id)",
    "customers": "count(*), sum(hash(customer_id, country)::hugeint)",
    "products": "count(*), sum(hash(product_id, name, currency)::hugeint)",
}


@dataclass(frozen=True)
class Run:
    """One process: how long it took, how much it held, what it said."""

    seconds: float
    processor: float
    """Seconds of processor time: what others do on the machine hardly moves it."""
    bytes: int
    said: dict[str, Any]


def make(path: Path, lines: int, *, where: str = "true", extra: int = 0) -> None:
    """Write a CSV of order lines; the same numbers give the same file."""
    if path.exists():
        return
    select = LINES.format(orders=lines // 4, customers=max(lines * 4 // 100, 10), where=where, extra=extra)
    draft = path.with_suffix(".part")
    duckdb.execute(f"copy ({select}) to '{draft}' (format csv, timestampformat '%Y-%m-%d %H:%M:%S')")
    draft.rename(path)


def run(work: dict[str, Any]) -> Run:
    """Do one piece of work in a process of its own."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(work)], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds = time.perf_counter() - start
    said = json.loads(done.stdout.splitlines()[-1])
    return Run(seconds, said.pop("processor"), said.pop("bytes"), said)


def by_hand(statements: Sequence[str], file: Path, folder: Path) -> Run:
    """Run DuckDB statements against a file, into a fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    filled = [statement.format(file=file, target=folder, zone=ZONE) for statement in statements]
    return run({"what": "duckdb", "statements": filled, "memory": MEMORY, "scratch": str(folder / "scratch")})


@contextmanager
def fresh_shop(folder: Path) -> Iterator[Path]:
    """A new shop with its store running; both are gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    setia.app.init(folder, ShopSettings(currency="IDR", time_zone=ZONE))
    Shop.open(folder).close()
    try:
        yield folder
    finally:
        destroy(folder)
        shutil.rmtree(folder, ignore_errors=True)


def imported(folder: Path, file: Path) -> Run:
    """Import a file into a shop."""
    return run({"what": "setia", "folder": str(folder), "file": str(file)})


def figures_of_shop(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Counts, sums and checksums of a shop's tables."""
    with Shop.open(folder) as shop, shop.reading() as reader:
        found = {}
        for table, figures in FIGURES.items():
            found[table] = tuple(reader.duck.execute(f"select {figures} from {table}").fetchall()[0])
        return found


def figures_by_hand(folder: Path) -> dict[str, tuple[Any, ...]]:
    """The same of the tables written by hand."""
    found = {}
    duckdb.execute("set TimeZone = 'UTC'")
    for table, figures in FIGURES.items():
        place = folder / f"{table}.parquet"
        source = place if place.exists() else folder / table / "**" / "*.parquet"
        found[table] = tuple(duckdb.execute(f"select {figures} from read_parquet('{source}')").fetchall()[0])
    return found


def compare(hand: dict[str, tuple[Any, ...]], ours: dict[str, tuple[Any, ...]]) -> None:
    """Stop where two sets of figures differ."""
    for table, expected in hand.items():
        if expected != ours[table]:
            raise SystemExit(f"{table} differs: by hand {expected}, Setia {ours[table]}")


def told(name: str, runs: Sequence[Run]) -> str:
    """Median and range of some runs."""
    seconds, most = [each.seconds for each in runs], max(each.bytes for each in runs)
    processor = median(each.processor for each in runs)
    spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
    return f"{name:28} {median(seconds):8.2f} s  {spread:18}  processor {processor:7.2f} s  {most / 2**20:6.0f} MiB"


def corrections(folder: Path, first: Path, second: Path) -> list[tuple[str, Run]]:
    """Correct every tenth order of a shop, then import its whole first file once more, twice."""
    done = [("correcting 1 order in 10", imported(folder, second)), ("the whole file again", imported(folder, first))]
    again = imported(folder, first)
    if again.said["snapshot"] is not None:
        raise SystemExit("importing the same file again changed something")
    return [*done, ("and again, changing nothing", again)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    work: Path = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    first, second = work / f"lines-{given.lines}.csv", work / f"corrected-{given.lines}.csv"
    make(first, given.lines)
    make(second, given.lines, where="o % 10 = 0", extra=1)
    print(f"{first.name}: {first.stat().st_size / 2**20:.0f} MiB")
    ours, hand, bare, later = [], [], [], []
    for number in range(given.runs):
        bare.append(by_hand(BARE, first, work / "bare"))
        hand.append(by_hand(BY_HAND, first, work / "hand"))
        with fresh_shop(work / "shop") as folder:
            ours.append(imported(folder, first))
            compare(figures_by_hand(work / "hand"), figures_of_shop(folder))
            if number == given.runs - 1:
                later = corrections(folder, first, second)
                compare(figures_by_hand(work / "hand"), figures_of_shop(folder))
    for name, runs in (("copy", bare), ("by hand", hand), ("setia", ours), *((n, [r]) for n, r in later)):
        print(told(name, runs))
    pairs = list(zip(ours, hand, strict=True))
    ratio = median(a.seconds / b.seconds for a, b in pairs)
    processor = median(a.processor / b.processor for a, b in pairs)
    most = max(each.bytes for each in [*ours, *(each for _, each in later)])
    print(f"setia / by hand: {ratio:.2f}, by processor time {processor:.2f} (target: at most {TARGET_RATIO})")
    print(f"highest memory: {most / 2**20:.0f} MiB (target: less than {TARGET_BYTES / 2**20:.0f})")
    for folder in ("bare", "hand"):
        shutil.rmtree(work / folder, ignore_errors=True)


if __name__ == "__main__":
    main()

"""How good recommendations are, beside simple rules and beside the library `implicit`, on the same days.

    python benchmarks/recommendations.py --data ../shared/data --oracle-python other-env/bin/python

Reads UCI Online Retail (`online_retail.parquet` in the folder of `--data`, else of SETIA_DATA): goods only, sales with a
price, cancellations as returns. Each window of 30 days is recommended for from what was known before it; what was then
bought judges. All keep to the same rules (sold in the last 60 days, not bought in the last 7 unless due, not given
back); the first table of a window is of everything bought, the second of what was new to the customer. `implicit` lives
in an environment of its own: `--oracle-python` is that environment's interpreter; without it only our own figures are
shown. It gets who bought what on how many days, or weighted by how long ago (half after 90 days) as ours.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded, and inherited by the oracle

import duckdb
import numpy as np

from metrics import reader, written
from setia.history.scope import Scope
from setia.predictions.products.judge import Judgement, judge
from setia.predictions.products.known import Known

AS_OF = (dt.date(2011, 8, 11), dt.date(2011, 10, 10), dt.date(2011, 12, 9))
ORACLE = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from scipy import sparse
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
folder = sys.argv[1]
for kind in ("days", "weighted"):
    matrix = sparse.load_npz(f"{folder}/{kind}.npz").tocsr()
    for name, model in {"cosine": CosineRecommender(K=50), "BM25": BM25Recommender(K=50)}.items():
        model.fit(matrix, show_progress=False)
        np.save(f"{folder}/implicit {name}, {kind}.npy", (matrix @ model.similarity).toarray().astype(np.float32))
    als = AlternatingLeastSquares(factors=64, regularization=0.05, alpha=10, iterations=15, random_state=1, num_threads=2)
    als.fit(matrix, show_progress=False)
    np.save(f"{folder}/implicit ALS 64, {kind}.npy", als.user_factors @ als.item_factors.T)
"""


def make(source: Path, folder: Path) -> None:
    """The facts of the shop as Parquet."""
    connection = duckdb.connect()
    connection.execute("load icu; set timezone = 'UTC'")
    connection.execute(
        "create view sold as select InvoiceNo as n, CustomerID::varchar as who, StockCode as p, Quantity as q, "
        "Quantity * UnitPrice as amount, min(InvoiceDate) over (partition by InvoiceNo)::timestamptz as at_time, "
        f"starts_with(InvoiceNo, 'C') as back from read_parquet('{source}') "
        "where regexp_matches(StockCode, '^[0-9]{5}') and UnitPrice > 0"
    )
    both = "n as document_id, who as customer_id, at_time::date as day"
    written(
        connection,
        folder,
        "orders",
        f"select distinct {both}, n as order_id, at_time as placed_at, 0 as total from sold where not back and q > 0",
    )
    written(
        connection,
        folder,
        "order_lines",
        f"select {both}, n as order_id, p as product_id, q as quantity, amount, at_time as placed_at from sold where not back and q > 0",
    )
    written(
        connection,
        folder,
        "returns",
        f"select {both}, n || p as return_id, p as product_id, -q as quantity, -amount as amount, at_time as returned_at from sold where back",
    )


def peers(python: Path | None, known: Known) -> dict[str, Any]:
    """Scores of the library's models for every customer, fitted in its own environment."""
    from scipy import sparse

    if python is None:
        return {}
    bought = known.past.bought
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sparse.save_npz(folder / "days.npz", known.past.matrix(bought.customer, bought.product, bought.times))
        weighted = known.past.matrix(bought.customer, bought.product, 0.5 ** (bought.last / 90))
        sparse.save_npz(folder / "weighted.npz", weighted)
        subprocess.run([str(python), "-c", ORACLE, name], check=True)
        scores = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
    return {title: lambda who, found=found: found[who].astype(np.float64) for title, found in scores.items()}


def tell(found: Judgement, seconds: float) -> None:
    """Print one window."""
    print(f"\nfrom {found.day}, {found.horizon} days ({seconds:.1f} s with reading, fitting, judging)")
    print(f"first 5 for all: {found.expected:.0f} purchases expected by their scores, {found.happened} made")
    for products in ("all", "new"):
        rows = [row for row in found.rows if row.products == products]
        title = f"{products} products, {rows[0].customers} customers"
        print(f"{title:<30}{'hit@5':>8}{'prec@5':>8}{'rec@10':>8}{'NDCG@10':>9}{'coverage':>10}")
        for row in rows:
            figures = f"{row.hit_rate_5:8.3f}{row.precision_5:8.3f}{row.recall_10:8.3f}{row.ndcg_10:9.3f}"
            print(f"  {row.ranker:<28}{figures}{row.coverage:10.3f}")


def main() -> None:
    """Read the options, judge each window."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SETIA_DATA", shared)))
    parser.add_argument("--oracle-python", type=Path, help="an interpreter that has implicit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make(options.data / "online_retail.parquet", Path(name))
        facts = reader(Path(name))
        for as_of in AS_OF:
            start = time.perf_counter()
            found = judge(facts, Scope(as_of, "GBP", "Europe/London"))
            seconds = time.perf_counter() - start
            if options.oracle_python:
                found = judge(
                    facts,
                    Scope(as_of, "GBP", "Europe/London"),
                    also=lambda known: peers(options.oracle_python, known),
                )
            tell(found, seconds)


if __name__ == "__main__":
    main()

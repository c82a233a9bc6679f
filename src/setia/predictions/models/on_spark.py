"""Purchase models over partitions on Spark: fitted anywhere, asked where the rows are.

Needs `setia[spark]`, and Setia in the Python of the executors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.pareto_nbd import ParetoNBD

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

KNOWN = ("frequency", "recency", "T")


def with_scores(rows: DataFrame, model: BGNBD | ParetoNBD, horizons: Sequence[float]) -> DataFrame:
    """The rows with what a fitted model expects of each: `probability_alive`, and for each horizon, in the model's unit
    of time and numbered from 1, `expected_purchases_n` and `probability_of_no_purchase_n`.

    The rows need `frequency`, `recency` and `T`; other columns stay. Each partition is scored by itself, in batches of
    Arrow, with the numbers that the model gives anywhere else.
    """
    from pyspark.sql.types import DoubleType, StructField, StructType

    names = ["probability_alive"]
    names += [f"{kind}_{n}" for n in range(1, len(horizons) + 1) for kind in _KINDS]
    fields = [*rows.schema.fields, *(StructField(name, DoubleType()) for name in names)]

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _scored(batch, model, horizons, names)

    return rows.mapInArrow(score, StructType(fields))


_KINDS = ("expected_purchases", "probability_of_no_purchase")


def _scored(batch: pa.RecordBatch, model: Any, horizons: Sequence[float], names: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    known = [batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in KNOWN]
    found = [model.probability_alive(*known)]
    for horizon in horizons:
        found += [getattr(model, kind)(horizon, *known) for kind in _KINDS]
    columns = [*batch.columns, *(pa.array(values, pa.float64()) for values in found)]
    return pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, *names])

"""Scoring over Spark's partitions gives the numbers that the models give anywhere else."""

from __future__ import annotations

import numpy as np
import pytest

from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.mbg_cnbd import MBGCNBD
from setia.predictions.models.on_spark import with_scores
from setia.predictions.models.pareto_nbd import ParetoNBD

pytestmark = [pytest.mark.java, pytest.mark.slow]


def test_partitions_give_the_same(spark_session):
    draw = np.random.default_rng(4)
    x = draw.poisson(2, 1000)
    age = draw.integers(30, 700, 1000)
    recency = np.where(x > 0, np.maximum((draw.random(1000) * age).astype(int), 1), 0)
    columns = zip([f"c{n}" for n in range(1000)], x.tolist(), recency.tolist(), age.tolist(), strict=True)
    rows = spark_session.createDataFrame(list(columns), "customer_id string, frequency int, recency int, T int")
    for model in (
        BGNBD.from_params(0.6, 30.0, 0.7, 2.5),
        MBGCNBD.from_params(0.9, 20.0, 0.5, 1.5, 3),
        ParetoNBD.from_params(0.6, 40.0, 0.6, 60.0),
    ):
        found = with_scores(rows.repartition(7), model, (30.0, 365.0)).orderBy("customer_id").toPandas()
        order = np.argsort([f"c{n}" for n in range(1000)])
        known = x[order], recency[order], age[order]
        assert found["probability_alive"].to_numpy() == pytest.approx(model.probability_alive(*known), rel=1e-12)
        for number, days in ((1, 30.0), (2, 365.0)):
            for kind in ("expected_purchases", "probability_of_no_purchase"):
                assert found[f"{kind}_{number}"].to_numpy() == pytest.approx(
                    getattr(model, kind)(days, *known), rel=1e-9
                ), kind

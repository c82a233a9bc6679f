"""Learned chances and amounts on simulated truths; planted reasons are found, and none is told that is not so."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit
from tests.predictions.shops import SCOPE, orders

from setia.history.scope import Scope
from setia.predictions.candidates import CANDIDATES
from setia.predictions.features import Columns
from setia.predictions.learned import AmountModel, ChanceModel, TooLittleToLearn, drawn
from setia.predictions.past import Windows
from setia.predictions.reasons import COLUMNS, MOST, REASONS, reasons
from setia.predictions.scoring import Ranking, calibration_error


def simulated(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features with an unknown now and then, labels, and the true log-odds: something straight, something crooked."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(rows, 6))
    odds = -1 + features[:, 0] + 1.5 * (np.abs(features[:, 1]) > 1) - features[:, 2] * (features[:, 3] > 0)
    labels = (draw.random(rows) < expit(odds)).astype(int)
    features[draw.random(rows) < 0.1, 4] = np.nan
    return features, labels, odds


def auc(chance: np.ndarray, labels: np.ndarray) -> float:
    return (Ranking(chance, labels.astype(float)).gini + 1) / 2


def test_chances_come_near_the_truth():
    known, labels, _ = simulated(6000, 1)
    asked, later, odds = simulated(6000, 2)
    chance = ChanceModel().fit(known, labels).predict(asked)
    assert auc(chance, later) > auc(odds, later) - 0.03, "nearly as good as who knows the truth"
    assert calibration_error(chance, later.astype(float)) < 0.04
    assert np.corrcoef(chance, expit(odds))[0, 1] > 0.9


def test_the_same_every_time():
    known, labels, _ = simulated(800, 3)
    one, other = (ChanceModel().fit(known, labels).predict(known) for _ in range(2))
    assert np.array_equal(one, other)
    assert len(drawn(300_000)) == 200_000
    assert np.array_equal(drawn(300_000), drawn(300_000))


def test_amounts_and_their_currency():
    draw = np.random.default_rng(5)
    features = draw.normal(size=(4000, 3))
    truth = np.exp(3 + 0.8 * features[:, 0])
    amounts = draw.gamma(4, truth / 4)
    found = AmountModel().fit(features, amounts).predict(features)
    assert found.sum() == pytest.approx(amounts.sum(), rel=0.03)
    assert np.corrcoef(np.log(found), np.log(truth))[0, 1] > 0.97
    assert AmountModel().fit(features, 15_000 * amounts).predict(features) == pytest.approx(15_000 * found, rel=1e-6)


def test_too_little_is_said():
    with pytest.raises(TooLittleToLearn, match="needs 25 customers of either outcome"):
        ChanceModel().fit(np.zeros((100, 2)), np.array([1] * 10 + [0] * 90))
    with pytest.raises(TooLittleToLearn):
        AmountModel().fit(np.zeros((3, 2)), np.ones(3))


def test_boosted_trees_see_traits_that_models_do_not(reader_of):
    """Customers who leave are those who stopped visiting: with the trait the ranking is better than without."""
    draw = np.random.default_rng(8)
    everything = orders(people=1200)
    facts = reader_of(orders=everything)
    bare = Windows(facts, SCOPE, 90)
    following = bare.past(1)
    hint = {
        who: bought + draw.normal(0, 0.4)
        for back in (1, 2)
        for who, bought in zip(
            [f"{w}/{back}" for w in bare.past(back).customers.to_pylist()], bare.past(back).next_days > 0, strict=True
        )
    }

    def traits(then: Scope) -> Any:
        back = (SCOPE.as_of - then.as_of).days // 90
        past = bare.past(back)
        names = past.customers.to_pylist()
        rows = [{"customer_id": who, "visits_30d": int(10 * max(hint[f"{who}/{back}"], 0))} for who in names]
        return ibis.memtable(pa.Table.from_pylist(rows))

    boosted = CANDIDATES["boosted"][1]
    without, seeing = boosted(following).ahead(90), boosted(Windows(facts, SCOPE, 90, traits).past(1)).ahead(90)
    bought = (following.next_days > 0).astype(int)
    assert auc(seeing.chance, bought) > auc(without.chance, bought) + 0.05
    near, far = boosted(following).ahead(30), boosted(following).ahead(365)
    assert np.all(far.days >= without.days - 1e-9)
    assert near.days.sum() < without.days.sum() < far.days.sum()


def test_features_are_those_of_the_day(reader_of):
    past = Windows(reader_of(orders=orders()), SCOPE, 90).past(1)
    columns = Columns.of(past)
    matrix = columns.matrix(past)
    assert matrix.shape == (len(past), len(columns.names))
    assert matrix[:, columns.names.index("silence")].tolist() == (past.age - past.recency).tolist()


def planted() -> tuple[Any, pa.Table]:
    """A model of customers whose chance falls with visits that fell, and with nothing else."""
    draw = np.random.default_rng(9)
    n = 3000
    before = draw.integers(0, 12, n).astype(float)
    now = np.where(draw.random(n) < 0.5, before, np.floor(before * draw.random(n)))
    silence = draw.integers(1, 60, n).astype(float)
    features = np.column_stack([silence, now, before])
    bought = draw.random(n) < expit(1.5 - 0.8 * (before - now))
    columns = SimpleNamespace(names=("silence", "visits_30d", "visits_30d_before"), matrix=lambda _past: features)
    chances = ChanceModel().fit(features, bought.astype(int))
    typical = np.median(features[bought], axis=0)
    model = SimpleNamespace(columns=columns, now=None, typical=typical, chances=chances)
    traits = pa.table(
        {
            "visits_30d": now, "visits_30d_before": before, "gaps_of_silence": np.full(n, 2.0),
            "days_since_last_order": silence, "usual_gap_days": silence / 2, "last_nps": np.full(n, 9.0),
            "returns": np.zeros(n),
        }
    )  # fmt: skip
    return model, traits


def test_the_planted_reason_is_found():
    model, traits = planted()
    told = reasons(model, traits)
    assert list(told) == list(COLUMNS)
    assert len(told) == MOST
    fell = traits["visits_30d_before"].to_numpy() - traits["visits_30d"].to_numpy()
    first = np.array(told["risk_reason"], dtype=object)
    assert np.mean(first[fell >= 3] == "visits") > 0.97
    assert "visits" not in set(first[fell <= 0]), "whose visits did not fall is told nothing of the kind"
    named = {name for column in told.values() for name in column if name}
    assert named <= {"visits", "silence"}, "neither returns nor answers: the sentences are not true of anybody"


def test_without_a_model_what_is_true_is_told():
    _, traits = planted()
    told = reasons(None, traits)
    assert set(told["risk_reason"]) == {"silence"}, "true of everybody, and the first of them"
    assert set(told["risk_reason_2"]) == {"visits", None}
    assert set(told["risk_reason_3"]) == {None}


def test_every_reason_has_its_words():
    for reason in REASONS.values():
        assert reason.sentence.format_map(dict.fromkeys(reason.traits, "1")), reason.name


def test_old_windows_have_nothing_to_learn_from(reader_of):
    past = Windows(reader_of(orders=orders()), SCOPE, 90).past(9)
    assert past.day < dt.date(2024, 1, 1)
    with pytest.raises(TooLittleToLearn):
        CANDIDATES["boosted"][1](past)


def test_columns_that_nobody_has_do_no_harm():
    known, labels, _ = simulated(800, 6)
    blank = np.column_stack([known, np.full(800, np.nan)])
    asked = np.column_stack([known, np.arange(800.0)])
    chances = ChanceModel().fit(blank, labels)
    assert np.array_equal(chances.predict(asked), chances.predict(blank))
    amounts = AmountModel().fit(blank, labels + 1.0)
    assert np.array_equal(amounts.predict(asked), amounts.predict(blank))

"""Learned models: the chance of something and the size of it, by boosted trees and a plain regression.

The trees find what is crooked, the regression what is straight; the mean of their log-odds is steadier than either on
the few thousand customers of most shops. Both are scikit-learn's. Unknown values (nan) are allowed everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from setia.kernel.errors import SetiaError
from setia.predictions.models.purchases import FloatArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_OF_EACH = 25
MANY_ROWS = 50_000
MOST_ROWS = 200_000
"""Rows that are learned from, at most: a seeded draw beyond."""
ROWS_AT_ONCE = 100_000
SEED = 20_240_131


class TooLittleToLearn(SetiaError):
    """A learned model needs {least} customers of either outcome at least, a whole window ago; here are {yes} and {no}.
    Wait for more orders, or leave it to the purchase models."""

    code = "predictions.too_little_to_learn"


class _Learned:
    _blank: NDArray[np.bool_]

    def _known(self, features: FloatArray) -> FloatArray:
        """The features without those that were unknown of everybody who was learned from: no tree can take them."""
        return np.where(self._blank, 0.0, features) if self._blank.any() else features

    def _asked(self, features: FloatArray, ask: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """What is said of each row, so many at a time: what the regression makes of its columns is wide."""
        starts = range(0, len(features), ROWS_AT_ONCE)
        parts = [ask(self._known(features[start : start + ROWS_AT_ONCE])) for start in starts]
        return np.concatenate(parts) if parts else np.zeros(0)


class ChanceModel(_Learned):
    """The chance of a yes: mean log-odds of boosted trees and of a logistic regression on the same columns."""

    def fit(self, features: FloatArray, labels: NDArray[Any]) -> Self:
        """Learn from one row per customer; labels are 0 or 1. Raises TooLittleToLearn."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        yes = int(np.sum(labels))
        if min(yes, len(labels) - yes) < LEAST_OF_EACH:
            raise TooLittleToLearn(least=LEAST_OF_EACH, yes=yes, no=len(labels) - yes)
        rows = drawn(len(labels))
        self._blank = _never_known(features[rows])
        known, outcome = self._known(features[rows]), np.asarray(labels)[rows]
        with _threads(len(rows)):
            self._trees = HistGradientBoostingClassifier(**_trees(len(rows))).fit(known, outcome)
            self._regression = _regression().fit(known, outcome)
        return self

    def log_odds(self, features: FloatArray) -> FloatArray:
        """The log-odds of a yes for each row."""
        return self._asked(
            features, lambda rows: (self._trees.decision_function(rows) + self._regression.decision_function(rows)) / 2
        )

    def predict(self, features: FloatArray) -> FloatArray:
        """The chance of a yes for each row."""
        from scipy.special import expit

        return np.asarray(expit(self.log_odds(features)))


class AmountModel(_Learned):
    """How much, given that it is something: boosted trees with the gamma deviance."""

    def fit(self, features: FloatArray, amounts: FloatArray) -> Self:
        """Learn from one row per customer with an amount above 0. Raises TooLittleToLearn."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        if len(amounts) < LEAST_OF_EACH:
            raise TooLittleToLearn(least=LEAST_OF_EACH, yes=len(amounts), no=0)
        rows = drawn(len(amounts))
        self._unit = float(amounts.mean())
        self._blank = _never_known(features[rows])
        with _threads(len(rows)):
            self._trees = HistGradientBoostingRegressor(loss="gamma", **_trees(len(rows))).fit(
                self._known(features[rows]), amounts[rows] / self._unit
            )
        return self

    def predict(self, features: FloatArray) -> FloatArray:
        """The expected amount of each row, given that it is something."""
        return self._asked(features, lambda rows: self._unit * self._trees.predict(rows))


def _never_known(features: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(~np.isfinite(features).any(axis=0))


def drawn(rows: int) -> NDArray[np.intp]:
    """The rows that are learned from: all of them, or as many as there may be, drawn with a fixed seed."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, MOST_ROWS, replace=False))


@contextmanager
def _threads(rows: int) -> Iterator[None]:
    """One thread for what is quickly learned: several wait for one another, for long where the machine is busy."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1 if rows < MANY_ROWS else None):
        yield


def _trees(rows: int) -> dict[str, Any]:
    """Small trees in small steps, larger leaves where there is more to learn from."""
    return {
        "max_iter": 150, "learning_rate": 0.05, "max_leaf_nodes": 8 if rows < 20_000 else 16,
        "min_samples_leaf": max(10, min(200, rows // 100)), "l2_regularization": 1.0, "early_stopping": False,
        "random_state": SEED,
    }  # fmt: skip


def _regression() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return make_pipeline(
        FunctionTransformer(_damped),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.5, max_iter=1000),
    )


def _damped(values: FloatArray) -> FloatArray:
    """Amounts and counts have long tails: their logarithm, with its sign."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))

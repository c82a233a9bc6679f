"""How well learned chances tell who leaves, side by side with what one would reach for first, on IBM's Telco customers.

    python benchmarks/telco.py --repeats 5

Repeated stratified cross-validation on the 7,043 subscribers of `telco_churn.parquet` (in the folder `--data`), the same
folds for all: Setia's `ChanceModel`, scikit-learn's plain logistic regression (one column per category, standardised,
default C) and its histogram gradient boosting with all defaults. All get the same columns; total charges that are not
known stay unknown, but for the regression, which takes the median. Printed are means over all folds and the standard
deviation between them: area under the ROC curve, Brier score, expected calibration error (ten groups of equal size), the
slope of outcomes on the log-odds that were forecast (1 is right, below 1 is overconfident), and how many times likelier
than all the tenth with the highest chances left.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow.parquet as pq

DATA = Path(__file__).parents[2] / "shared" / "data"
NUMBERS = ("SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges")
NOT_FEATURES = ("customerID", "Churn")
SEED = 20_261
Model = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def subscribers(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """One column per number and per category but the first of each; and who left."""
    table = pq.read_table(path)
    columns = []
    for name in table.column_names:
        values = table[name].to_pylist()
        if name in NUMBERS:
            columns.append([float(value) if str(value).strip() else np.nan for value in values])
        elif name not in NOT_FEATURES:
            columns.extend([[float(value == each) for value in values] for each in sorted(set(values))[1:]])
    return np.array(columns).T, np.array([value == "Yes" for value in table["Churn"].to_pylist()]).astype(int)


def setia(x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Setia's learned model."""
    from setia.predictions.learned import ChanceModel

    return np.asarray(ChanceModel().fit(x, y).predict(asked))


def regression(x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A plain logistic regression."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
    return np.asarray(model.fit(x, y).predict_proba(asked)[:, 1])


def boosting(x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Histogram gradient boosting as it comes."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return np.asarray(HistGradientBoostingClassifier(random_state=SEED).fit(x, y).predict_proba(asked)[:, 1])


MODELS: dict[str, Model] = {"setia": setia, "logistic regression": regression, "gradient boosting": boosting}


def calibration_error(chance: np.ndarray, left: np.ndarray) -> float:
    """The mean distance between chance and share in ten groups of equal size."""
    groups = np.array_split(np.argsort(chance, kind="stable"), 10)
    return float(sum(len(g) * abs(chance[g].mean() - left[g].mean()) for g in groups) / len(chance))


def slope(chance: np.ndarray, left: np.ndarray) -> float:
    """The slope of a logistic regression of outcomes on log-odds."""
    from sklearn.linear_model import LogisticRegression

    kept = np.clip(chance, 1e-6, 1 - 1e-6)
    odds = np.log(kept / (1 - kept))[:, np.newaxis]
    return float(LogisticRegression(C=np.inf, tol=1e-8).fit(odds, left).coef_[0, 0])


def lift(chance: np.ndarray, left: np.ndarray) -> float:
    """The share that left of the tenth with the highest chances, over that of all."""
    top = np.argsort(-chance, kind="stable")[: round(len(chance) / 10)]
    return float(left[top].mean() / left.mean())


def measures(chance: np.ndarray, left: np.ndarray) -> dict[str, float]:
    """Every measure of one fold."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    return {
        "AUC": float(roc_auc_score(left, chance)),
        "Brier": float(brier_score_loss(left, chance)),
        "ECE": calibration_error(chance, left),
        "slope": slope(chance, left),
        "top-decile lift": lift(chance, left),
    }


def compare(x: np.ndarray, y: np.ndarray, folds: int, repeats: int) -> dict[str, list[dict[str, float]]]:
    """The measures of every model in every fold."""
    from sklearn.model_selection import RepeatedStratifiedKFold

    found: dict[str, list[dict[str, float]]] = {name: [] for name in MODELS}
    for known, held in RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=SEED).split(x, y):
        for name in list(found):
            try:
                chance = MODELS[name](x[known], y[known], x[held])
            except ImportError:
                del found[name]
                print(f"{name}: not there yet")
                continue
            found[name].append(measures(chance, y[held]))
    return found


def show(found: dict[str, list[dict[str, float]]]) -> None:
    """Print the table, and how far ahead the first is in the same folds."""
    names: list[Any] = list(next(iter(found.values()))[0])
    print(f"{'':22}" + "".join(f"{name:>20}" for name in names))
    for model, rows in found.items():
        columns = [np.array([row[name] for row in rows]) for name in names]
        print(f"{model:22}" + "".join(f"{f'{each.mean():.4f} ± {each.std(ddof=1):.4f}':>20}" for each in columns))
    first, *others = found
    for other in others:
        ahead = np.array([one["AUC"] - two["AUC"] for one, two in zip(found[first], found[other], strict=True)])
        print(
            f"AUC of {first} less that of {other}: {ahead.mean():+.4f}, higher in {(ahead > 0).sum()} of {len(ahead)}"
        )


def main() -> None:
    """Read the options, cross-validate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds telco_churn.parquet")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    path = options.data / "telco_churn.parquet"
    if not path.is_file():
        parser.error(f"there is no {path}; name its folder with --data")
    x, y = subscribers(path)
    print(f"{len(y):,} subscribers, {int(y.sum()):,} left; {options.folds} folds, {options.repeats} times")
    show(compare(x, y, options.folds, options.repeats))


if __name__ == "__main__":
    main()

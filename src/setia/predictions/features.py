"""What learned models look at: a past's order history and its customers' traits, as columns of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from setia.customers.traits import OBSERVED, TRAITS
from setia.predictions.models.purchases import FloatArray
from setia.predictions.past import Past

NUMERIC = ("integer", "number", "money", "share", "flag")
NAMES = ("favourite_channel", "favourite_category", "source", "country", "subscription")
"""Texts of few values: a column for each of the most frequent ones."""
LEFT_OUT = ("rfm_recency", "rfm_frequency", "rfm_value", "health")
READ = (
    "customer_id",
    *(name for name in OBSERVED if TRAITS[name].kind in NUMERIC and name not in LEFT_OUT),
    *NAMES,
)
"""The traits that are looked at."""
MOST_VALUES = 6
LEAST_WITH_VALUE = 30


@dataclass(frozen=True)
class Columns:
    """Which columns there are; chosen on the past that is learned from, and the same for the one that is predicted."""

    traits: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    """Pairs of a trait and one of its values."""

    @classmethod
    def of(cls, past: Past) -> Columns:
        """The columns of a past: its numeric traits that are not the same for everybody, and its frequent values."""
        if past.traits is None:
            return cls((), ())
        rows = past.traits()
        known = [n for n in rows.column_names if n in READ and TRAITS[n].kind in NUMERIC]
        traits = tuple(n for n in known if _varies(numbers(rows, n)))
        values = tuple((n, value) for n in NAMES if n in rows.column_names for value in _frequent(rows, n))
        return cls(traits, values)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in their order."""
        return (*_OF_ORDERS, *self.traits, *(f"{name}={value}" for name, value in self.values))

    def matrix(self, past: Past) -> FloatArray:
        """One row per customer of the past; unknown is nan."""
        parts = [of(past) for of in _OF_ORDERS.values()]
        if past.traits is not None:
            rows = past.traits()
            parts += [numbers(rows, name) for name in self.traits]
            parts += [_is(rows, name, value) for name, value in self.values]
        return np.column_stack(parts)


def _a_repeat(past: Past, values: FloatArray) -> FloatArray:
    """Values for each repeat purchase; nan without one."""
    return np.where(past.frequency > 0, values / np.maximum(past.frequency, 1), np.nan)


_OF_ORDERS: dict[str, Callable[[Past], FloatArray]] = {
    "repeat_purchase_days": lambda past: past.frequency,
    "silence": lambda past: past.age - past.recency,
    "known_for": lambda past: past.age,
    "mean_gap": lambda past: _a_repeat(past, past.recency),
    "gaps_silent": lambda past: (past.age - past.recency) / _a_repeat(past, past.recency),
    "recent_days": lambda past: past.recent_days,
    "recent_revenue": lambda past: past.recent_revenue,
    "mean_value": lambda past: past.mean_value,
    "mean_log_gap": lambda past: _a_repeat(past, past.log_gaps),
}


def numbers(rows: Any, name: str) -> FloatArray:
    """A column of numbers or flags; unknown is nan."""
    import pyarrow as pa

    column = rows[name]
    if not pa.types.is_floating(column.type):
        column = (
            column.cast(pa.int8()).cast(pa.float64()) if pa.types.is_boolean(column.type) else column.cast("double")
        )
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _varies(values: FloatArray) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and (len(known) < len(values) or float(known.min()) < float(known.max()))


def _frequent(rows: Any, name: str) -> list[str]:
    counted = [(each["counts"], each["values"]) for each in rows[name].value_counts().to_pylist()]
    best = sorted((-n, value) for n, value in counted if value is not None and n >= LEAST_WITH_VALUE)
    return [value for _, value in best[:MOST_VALUES]]


def _is(rows: Any, name: str, value: str) -> FloatArray:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.equal(rows[name], value), False).to_numpy().astype(float), dtype=np.float64)

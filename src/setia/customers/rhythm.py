"""The shop's usual number of days between purchases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from setia.history.scope import Scope
from setia.metrics.timing import time_between_purchases

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

WITHOUT_HISTORY = 60.0
"""Days assumed where nobody has bought twice yet."""


def shop_gap_days(facts: Snapshot, scope: Scope) -> float:
    """Mean gap in days, from the survival curve's median (of an exponential gap it is ln 2 of the mean).

    The median of the curve counts open gaps as not yet ended; where most customers never return it is not reached,
    and the mean of completed gaps has to do.
    """
    figures = time_between_purchases(facts, scope).figures
    if figures["value"] is not None:
        return max(float(figures["value"]) / math.log(2), 1.0)
    if figures["mean_of_completed"] is not None:
        return max(float(figures["mean_of_completed"]), 1.0)
    return WITHOUT_HISTORY

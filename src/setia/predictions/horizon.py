"""What customers are worth until a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from setia.kernel.errors import SetiaError
from setia.predictions.backtest import FAILURES
from setia.predictions.candidates import CANDIDATES
from setia.predictions.outlook import FALLBACKS, discounted
from setia.predictions.past import Windows

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_YEARS = 10
STRETCH = 91
"""Days over which money is discounted alike."""


class BadHorizon(SetiaError):
    """A value until {until} cannot be told: it takes a day after {as_of}, at most {years} years later."""

    code = "predictions.bad_horizon"


class NoModel(SetiaError):
    """No model could be fitted to this shop's orders: {reason}"""

    code = "predictions.no_model"


def value_until(
    windows: Windows, ranking: Sequence[str], until: dt.date, margin: float, discount_rate: float
) -> pa.Table:
    """One row per customer with an order: `customer_id`, `expected_orders`, `expected_revenue`, `value`.

    The margin may be below nothing: then customers cost. Raises BadHorizon, NoModel.
    """
    import pyarrow as pa

    days = (until - windows.scope.as_of).days
    if not 0 < days <= 366 * LONGEST_YEARS:
        raise BadHorizon(until=until, as_of=windows.scope.as_of, years=LONGEST_YEARS)
    past, reason = windows.past(0), ""
    for name in dict.fromkeys((*ranking, *FALLBACKS)):
        try:
            fitted = CANDIDATES[name][1](past)
            stretches = np.linspace(0, days, -(-days // STRETCH) + 1)[1:]
            ahead = [(float(by), fitted.ahead(float(by))) for by in stretches]
        except FAILURES as problem:
            reason = reason or str(problem)
            continue
        whole = ahead[-1][1]
        value = discounted([(by, forecast.revenue) for by, forecast in ahead], margin, discount_rate)
        return pa.table(
            {
                "customer_id": past.customers,
                "expected_orders": whole.days,
                "expected_revenue": whole.revenue,
                "value": value,
            }
        )
    raise NoModel(reason=reason)

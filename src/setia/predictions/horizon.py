"""What customers are worth until a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from setia.kernel.errors import SetiaError
from setia.predictions.expecting import expect
from setia.predictions.outlook import discounted
from setia.predictions.past import Windows

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_YEARS = 10
STRETCH = 91
"""Days over which money is discounted alike."""


class BadHorizon(SetiaError):
    """A value until {until} cannot be told: it takes a day after {as_of}, at most {years} years later."""

    code = "predictions.bad_horizon"


def value_until(
    windows: Windows, ranking: Sequence[str], until: dt.date, margin: float, discount_rate: float,
    correction: str = "none",
) -> pa.Table:  # fmt: skip
    """One row per customer with an order: `customer_id`, `expected_orders`, `expected_revenue`, `value`; the table's
    metadata name the `model` that told it.

    The margin may be below nothing: then customers cost. Raises BadHorizon, NoModel.
    """
    import pyarrow as pa

    days = (until - windows.scope.as_of).days
    if not 0 < days <= 366 * LONGEST_YEARS:
        raise BadHorizon(until=until, as_of=windows.scope.as_of, years=LONGEST_YEARS)
    stretches = np.linspace(0, days, -(-days // STRETCH) + 1)[1:].tolist()
    found = expect(windows, ranking, correction, stretches)
    whole = found.ahead[stretches[-1]]
    value = discounted([(by, found.ahead[by].revenue) for by in stretches], margin, discount_rate)
    rows = pa.table(
        {
            "customer_id": found.past.customers,
            "expected_orders": whole.days,
            "expected_revenue": whole.revenue,
            "value": value,
        }
    )
    return rows.replace_schema_metadata({"model": found.name})

"""How well customers are kept: each metric declared once, computed once, checked against a query written by hand.

Reads facts only. `catalogue` declares, `keeping` and `buying` compute (one file per family), `checks/` holds the
hand-written SQL that the tests compare with. To add a metric: declare it, write its function and its check.
"""

from __future__ import annotations

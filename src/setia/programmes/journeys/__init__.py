"""Journeys: a customer enters, gets a few messages over time, leaves at an order or at the end.

`models` is the programme's document, `rules` decide (pure), `tables` keep who is where, `audience` finds who enters,
`service` moves everybody on, `planning` and `results` say what to expect and what was caused. `playbooks/` holds
programmes to start from.
"""

from __future__ import annotations

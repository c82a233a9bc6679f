"""A shop that does not exist, on a clock of its own: the demo's data, and the oracle of the whole loop.

Its customers arrive, buy, drop out, return goods, browse, answer and subscribe; and they react to the mails
that reached them. Since the shop knows the latent state of every customer, the true effect of a programme is
computed, not estimated, and may be held against what the programme's own measurement says.

- `models`     settings and typed values
- `shop`       the shop on its clock: `history`, `tick`, `true_difference`
- `behaviour`  purchase, drop-out and reaction
- `calendar`   the season and the hours of the day; `draws` the random numbers
- `people`, `baskets`, `goods`  what stands in the rows; `files` writes them as CSV
"""

from __future__ import annotations

from setia.simulate.models import (
    ArrivedMail,
    Enrolment,
    HistoryMissing,
    HistoryWritten,
    ImpossibleSettings,
    PlannedMail,
    ShopSettings,
    UnknownCustomer,
    UnknownOffer,
)
from setia.simulate.shop import SimulatedShop

__all__ = [
    "ArrivedMail",
    "Enrolment",
    "HistoryMissing",
    "HistoryWritten",
    "ImpossibleSettings",
    "PlannedMail",
    "ShopSettings",
    "SimulatedShop",
    "UnknownCustomer",
    "UnknownOffer",
]

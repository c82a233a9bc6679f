"""The MBG/NBD model: the BG/NBD model in which a customer may leave right after the first purchase, too.

So a customer who bought once may have left, which the BG/NBD model rules out.

Source: Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
analysis, International Journal of Research in Marketing 24(3), 201-209.
"""

from __future__ import annotations

from typing import ClassVar

from setia.predictions.models.bg_nbd import BGNBD


class MBGNBD(BGNBD):
    """As `BGNBD`, with one more chance to leave: at the first purchase. The usual choice for a shop."""

    first_order_may_be_last: ClassVar[int] = 1

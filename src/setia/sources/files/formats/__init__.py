"""What the columns of a file mean: one small folder per format, known by its headers.

To add one, make a folder with `LAYOUTS` (or `SETS`, for tables that make sense only together) and list it below. A
table is the layout of which it has the most columns; Setia's own layout goes first, since its names are exact, and an
order log of any make comes last.
"""

from __future__ import annotations

from setia.sources.files.formats import (
    ads,
    klaviyo,
    lazada,
    mailchimp,
    olist,
    segment,
    shopee,
    shopify,
    square,
    stripe,
    surveys,
    tiktok_shop,
    tokopedia,
    woocommerce,
)
from setia.sources.files.layout import Layout, Together

LAYOUTS: tuple[Layout, ...] = (
    *shopify.LAYOUTS,
    *woocommerce.LAYOUTS,
    *shopee.LAYOUTS,
    *tiktok_shop.LAYOUTS,
    *tokopedia.LAYOUTS,
    *lazada.LAYOUTS,
    *square.LAYOUTS,
    *stripe.LAYOUTS,
    *mailchimp.LAYOUTS,
    *klaviyo.LAYOUTS,
    *surveys.LAYOUTS,
    *segment.LAYOUTS,
    *ads.LAYOUTS,
)
SETS: tuple[Together, ...] = (*olist.SETS, *square.SETS, *woocommerce.SETS)

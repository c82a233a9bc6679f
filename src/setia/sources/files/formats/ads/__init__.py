"""What advertising cost: exports of Meta Ads, Google Ads, TikTok Ads and Shopee Ads.

Meta Ads Manager, English and Indonesian as in public samples: `Campaign name`, `Reporting starts`, `Reporting ends`,
with a breakdown `Day`, and `Amount spent (IDR)`, whose brackets hold the currency. Inferred: the Malay headers.
Google Ads: two lines of title and period, then `Campaign`, `Day`, `Currency code`, `Cost`, and last the rows `Total: …`
(public samples). Without the segment `Day` there is no date in the table and it cannot be read.
TikTok Ads Manager: `By Day`, `Campaign name`, `Cost`, at times `Currency` (public samples).
Shopee Ads, Indonesian and English: lines with shop and period above `Urutan`, `Nama Iklan`, `Jenis Iklan` … `Biaya`
(public samples). The reports on one ad or group repeat amounts of the report on all ads and are not read.

A cost goes by platform, day and campaign, so that a later export replaces the campaign's cost of that day. Inferred:
that an amount for several days, as of an export without a breakdown by day, is dated to the first of them.
"""

from __future__ import annotations

from setia.sources.files.formats.ads.platforms import GOOGLE, META, SHOPEE, TIKTOK

LAYOUTS = (META, GOOGLE, TIKTOK, SHOPEE)

"""The layouts of the advertising platforms."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, above, amount, day, text

_SEVERAL_DAYS = N_(
    "An amount for several days counts on the first of them; beside an export by day it would count twice"
)
_TOTALS = N_("totals of the campaigns")
_CAMPAIGN = "coalesce(campaign, ad_group, ad)"
_NO_TOTAL = f"not regexp_matches(lower(coalesce({_CAMPAIGN}, 'total')), '^(total\\b.*|-+)$')"


def _costs(channel: str, first: str, last: str, campaign: str, currency: str) -> dict[str, str]:
    """The row of `costs` for an amount `spent` from the first day to the last, given as dates."""
    period = f"({first})::varchar || case when {last} > {first} then '..' || ({last})::varchar else '' end"
    return {
        "cost_id": f"concat_ws(':', '{channel}', account, {period}, {campaign})",
        "category": "'advertising'",
        "channel": f"'{channel}'",
        "amount": "nullif(spent, 0)",
        "currency": currency,
        "spent_at": f"timezone({{zone}}, ({first})::timestamp)",
        "day": first,
    }


_META_DAY, _META_LAST = "coalesce(on_day, starts)", "coalesce(on_day, ends, starts)"
META = Layout(
    name="Meta Ads: costs",
    roles={
        "account": text("Account name", "Nama akun", "Account ID"),
        "campaign": text("Campaign name", "Nama kampanye", "Nama kempen"),
        "ad_group": text("Ad set name", "Nama set iklan"),
        "ad": text("Ad name", "Nama iklan"),
        "on_day": day("Day", "Hari"),
        "starts": day("Reporting starts", "Awal pelaporan", "Pelaporan bermula"),
        "ends": day("Reporting ends", "Akhir pelaporan", "Pelaporan berakhir"),
        "spent": amount(
            pattern="^(amount spent|jumlah yang dibelanjakan|jumlah dibelanjakan)( [a-z]{3})?$", currency_in_header=True
        ),
        "currency": text("Currency", "Mata uang"),
    },
    needs=("spent",),
    marks=("Reporting starts", "Awal pelaporan", "Pelaporan bermula", "Day", "Hari"),
    only=f"{_NO_TOTAL} and {_META_DAY} is not null",
    others=_TOTALS,
    facts={
        "costs": _costs("meta", _META_DAY, _META_LAST, _CAMPAIGN, "coalesce(spent_currency, currency)"),
    },
    notes=(_SEVERAL_DAYS,),
)

GOOGLE = Layout(
    name="Google Ads: costs",
    roles={
        "account": text("Account name", "Account", "Customer ID"),
        "campaign": text("Campaign", "Kampanye", "Kempen", required=True),
        "ad_group": text("Ad group"),
        "ad": text("Ad name"),
        "on_day": day("Day", "Hari", required=True),
        "spent": amount("Cost", "Biaya", "Kos"),
        "currency": text("Currency code", "Currency", "Kode mata uang", "Kod mata wang"),
    },
    needs=("campaign", "on_day", "spent"),
    only=f"{_NO_TOTAL} and on_day is not null",
    others=_TOTALS,
    facts={"costs": _costs("google", "on_day", "on_day", "campaign", "currency")},
)

TIKTOK = Layout(
    name="TikTok Ads: costs",
    roles={
        "account": text("Account name", "Advertiser name"),
        "campaign": text("Campaign name", "Nama kampanye"),
        "ad_group": text("Ad group name", "Nama grup iklan"),
        "ad": text("Ad name", "Nama iklan"),
        "on_day": day("By Day", "Date", required=True),
        "spent": amount("Cost", "Total cost", "Biaya"),
        "currency": text("Currency"),
    },
    needs=("campaign", "on_day", "spent"),
    only=f"{_NO_TOTAL} and on_day is not null",
    others=_TOTALS,
    facts={"costs": _costs("tiktok", "on_day", "on_day", _CAMPAIGN, "currency")},
)

_FIRST, _LAST = (f"try_strptime(trim(split_part(period, ' - ', {n})), '%d/%m/%Y')::date" for n in (1, 2))
SHOPEE = Layout(
    name="Shopee Ads: costs",
    roles={
        "account": above("Username", "User Name", "Nama pengguna"),
        "period": above("Periode", "Date Period", "Period", "Tempoh"),
        "campaign": text("Nama Iklan", "Ad Name"),
        "kind": text("Jenis Iklan", "Ads Type"),
        "product": text("Kode Produk", "Product ID"),
        "spent": amount("Biaya", "Expense"),
        "clicks": text("Jumlah Klik", "Clicks"),
    },
    needs=("campaign", "kind", "spent", "clicks"),
    only=f"campaign is not null and {_FIRST} is not null",
    facts={"costs": _costs("shopee", _FIRST, _LAST, "concat_ws(':', campaign, nullif(product, '-'))", "null::varchar")},
    notes=(_SEVERAL_DAYS,),
)

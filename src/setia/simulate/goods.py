"""What the shop sells and whom it sells to: plain lists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Currency:
    """`per_thousand`: minor units worth a thousand rupiah; prices are multiples of `step` minor units."""

    decimals: int
    per_thousand: int
    step: int

    def price(self, thousands: int) -> int:
        """A price of so many thousand rupiah, in minor units of this currency."""
        return max(self.step, round(thousands * self.per_thousand / self.step) * self.step)

    def text(self, minor: int) -> str:
        """A plain decimal, with as many decimals as the currency has."""
        if not self.decimals:
            return str(minor)
        whole, part = divmod(minor, 10**self.decimals)
        return f"{whole}.{part:0{self.decimals}d}"


CURRENCIES = {
    "IDR": Currency(decimals=0, per_thousand=1000, step=1000),
    "MYR": Currency(decimals=2, per_thousand=29, step=10),
    "SGD": Currency(decimals=2, per_thousand=9, step=10),
    "USD": Currency(decimals=2, per_thousand=7, step=5),
}

PRODUCTS: tuple[tuple[str, str, int], ...] = (
    ("Kopi Arabika Gayo 200 g", "Kopi", 78),
    ("Kopi Toraja 200 g", "Kopi", 85),
    ("Kopi Robusta Lampung 250 g", "Kopi", 52),
    ("Kopi Tubruk Kampung 250 g", "Kopi", 45),
    ("Kopi Susu Gula Aren isi 6", "Kopi", 96),
    ("Drip Bag Kintamani isi 10", "Kopi", 68),
    ("Teh Melati 100 g", "Teh", 28),
    ("Teh Tarik Sachet isi 12", "Teh", 39),
    ("Wedang Jahe isi 8", "Teh", 33),
    ("Keripik Singkong Balado", "Camilan", 24),
    ("Keripik Tempe", "Camilan", 22),
    ("Kacang Bawang 250 g", "Camilan", 31),
    ("Kue Nastar Toples", "Camilan", 88),
    ("Dodol Garut", "Camilan", 35),
    ("Kerepek Ubi Pedas", "Camilan", 26),
    ("Abon Sapi 150 g", "Camilan", 64),
    ("Sabun Sereh", "Perawatan", 27),
    ("Lulur Kopi 200 g", "Perawatan", 59),
    ("Minyak Kelapa Murni 250 ml", "Perawatan", 72),
    ("Toner Air Mawar 100 ml", "Perawatan", 48),
    ("Pelembap Lidah Buaya", "Perawatan", 55),
    ("Masker Bengkuang", "Perawatan", 32),
    ("Cangkir Keramik", "Rumah", 75),
    ("Saringan Kopi", "Rumah", 42),
)
"""Name, category, price in thousand rupiah."""

PLANS: tuple[tuple[str, int], ...] = (
    ("Kotak Kopi Bulanan Kecil", 89),
    ("Kotak Kopi Bulanan", 149),
    ("Kotak Kopi Keluarga", 239),
)

LEAVING: tuple[tuple[str, float], ...] = (
    ("too expensive", 0.34),
    ("too much left over", 0.26),
    ("found another shop", 0.16),
    ("delivery problems", 0.14),
    ("moved away", 0.1),
)
"""Why a subscription was ended."""

CASES: tuple[tuple[str, float], ...] = (
    ("delivery", 0.45), ("quality", 0.2), ("payment", 0.15), ("question", 0.2),
)  # fmt: skip
"""What customers write to the shop about."""

SHIPPING: tuple[tuple[int, float], ...] = ((0, 0.2), (9, 0.35), (12, 0.25), (18, 0.15), (24, 0.05))
"""Thousand rupiah, weight."""

INDONESIAN_NAMES = (
    *("Ayu", "Budi", "Dewi", "Putri", "Agus", "Sri", "Rina", "Andi", "Wulan", "Dian", "Bayu", "Indah", "Eko", "Fitri"),
    *("Hendra", "Lestari", "Joko", "Maya", "Rizky", "Ratna", "Adi", "Citra", "Yanti", "Bambang", "Sari", "Galih"),
    *("Nurul", "Arief", "Intan", "Wahyu", "Tika", "Dimas", "Mega", "Fajar", "Novi", "Yoga", "Kartika", "Ketut"),
)
MALAYSIAN_NAMES = (
    *("Siti", "Aminah", "Farah", "Hafiz", "Aisyah", "Azlan", "Nadia", "Faizal", "Zainab", "Amir", "Liyana", "Syafiq"),
    *("Rosnah", "Ismail", "Haslina", "Khairul", "Mei", "Wei", "Jia", "Hui", "Kavitha", "Priya", "Suresh", "Anita"),
)
INDONESIAN_TOWNS = (
    "Jakarta",
    "Bandung",
    "Surabaya",
    "Yogyakarta",
    "Semarang",
    "Medan",
    "Makassar",
    "Denpasar",
    "Bogor",
)
MALAYSIAN_TOWNS = ("Kuala Lumpur", "Shah Alam", "Johor Bahru", "George Town", "Ipoh", "Melaka", "Kuching")
DOMAINS = ("example.com", "example.org", "example.net")
SOURCES: tuple[tuple[str, float], ...] = (
    ("instagram", 0.28),
    ("tiktok", 0.22),
    ("search", 0.2),
    ("marketplace", 0.15),
    ("friend", 0.1),
    ("bazaar", 0.05),
)
CHANNELS: tuple[tuple[str, float], ...] = (("web", 0.5), ("app", 0.3), ("marketplace", 0.2))

COMMENTS = {
    "id": ("Pengiriman lama.", "Lumayan.", "Enak dan cepat sampai!"),
    "ms": ("Penghantaran lambat.", "Boleh tahan.", "Sedap dan cepat sampai!"),
    "en": ("Delivery was slow.", "It was fine.", "Tasty and quick!"),
}
"""Words for a low, a middling and a high score."""

"""Survey questions by their wording, and the figures in their answers."""

from __future__ import annotations

from collections.abc import Sequence

from setia.sources.files.layout import email, phone, text
from setia.sources.files.roles import Role

_OPEN = (
    r"why|reason|alasan|alasannya|mengapa|kenapa|sebab|sebabnya|(apa|apakah) yang|"
    r"what (made|makes|would|could|did|do|does)"
)
_RATED = rf"^(?!.*\b({_OPEN})\b)"
"""Questions that ask for a figure, not for words."""
_HOW = (
    r"(?=.*\b(how|likely|likelihood|kemungkinan|kemungkinannya|mungkin|seberapa|sejauh|tingkat|tahap|bagaimana|berapa|"
    r"berapakah|overall|skala|scale|rate|rating|score|skor|level|10)\b)"
)
_RECOMMEND = r"(?=.*(\brecommend|\brekomendasi|\bmerekomendasi|\bmenyarankan|\bmengesyorkan|\bsyorkan|\bmencadangkan))"
_NPS = rf"{_RATED}({_HOW}{_RECOMMEND}|(.* )?(nps|net promoter score)\b)"
_CSAT = rf"{_RATED}({_HOW}(?=.*(satisf|\bpuas\b|\bkepuasan|\bberpuas))|(.* )?csat\b)"
_CES = rf"{_RATED}({_HOW}(?=.*(\beasy\b|\bmudah|\bsemudah|\beffort))|(.* )?(ces|customer effort score)\b)"
_TO_TEN = r".*\b[01] (to |sampai |hingga |sehingga |s d |until )?10\b"
RATING = rf"{_NPS}|{_CSAT}|{_CES}"
"""The plain header of any question for a figure."""
_WORDS_ASKED = (
    rf"\b({_OPEN}|comments?|feedback|suggestions?|improve|komentar|saran|masukan|ulasan|kritik|komen|maklum balas|"
    r"cadangan)\b"
)
_COMMENT = rf"^(?!{_NPS[1:]})(?!{_CSAT[1:]})(?!{_CES[1:]}).*{_WORDS_ASKED}"
_AGREED = r"(?!.*\b(setuju|bersetuju|persetujuan|bersedia|izin|izinkan|consent|agree|subscribe|newsletter|promo)\b)"

QUESTIONS: dict[str, Role] = {
    "asked": text(pattern=RATING),
    "nps": text(pattern=_NPS),
    "nps_to_ten": text(pattern=_NPS + _TO_TEN),
    "csat": text(pattern=_CSAT),
    "csat_to_ten": text(pattern=_CSAT + _TO_TEN),
    "ces": text(pattern=_CES),
    "comment": text(pattern=_COMMENT),
}
PERSON: dict[str, Role] = {
    "email": email(
        "Email Address", "Email", "E-mail", "Username", "Alamat email", "Alamat e-mail", "Alamat e-mel", "Emel",
        pattern=rf"^{_AGREED}.*(\bemail|\be mail\b|\bemel\b|\be mel\b|\bsurel\b)",
    ),
    "phone": phone(pattern=rf"^{_AGREED}.*\b(whatsapp|wa|telepon|telpon|telefon|phone|handphone|hp|mobile)\b"),
    "name": text("Name", "Nama", "Nama lengkap", "Nama penuh", "Full name", "Your name", "Nama Anda", "Nama anda"),
}  # fmt: skip
KEY = "coalesce(email, phone)"

_WORDS = (
    ("neither|neutral|netral|biasa|sederhana|cukup|so-so", 3),
    ("(very|extremely) (dis|un)satisfied|sangat tidak (ber)?puas", 1),
    ("(dis|un)satisfied|(tidak|kurang|tak) (ber)?puas", 2),
    ("(very|extremely|completely) satisfied|sangat (ber)?puas", 5),
    ("satisfied|puas", 4),
)
"""The usual five steps in words, in the order in which they are looked for."""


def figure(role: str) -> str:
    """The figure in an answer such as `9`, `9 - Very likely` or `Sangat puas`, as SQL; null where there is none."""
    said = " ".join(f"when regexp_matches(lower({role}), '{words}') then {value}" for words, value in _WORDS)
    digits = f"try_cast(regexp_extract({role}, '(\\d+)', 1) as bigint)"
    return f"coalesce({digits}, case {said} end)"


def answers(prefix: str, key: str, answered_at: str) -> list[dict[str, str]]:
    """The rows of `answers` of one response: one for each question that was asked; `key` tells the response."""
    nps, csat, ces = figure("nps"), figure("csat"), figure("ces")
    to_ten = f"(count(nps_to_ten) over () > 0 or max({nps}) over () > 5 or min({nps}) over () = 0)"
    of_csat = f"case when count(csat_to_ten) over () > 0 or max({csat}) over () > 7 then 10 else {_to_seven(csat)} end"
    return [
        _answer(prefix, key, answered_at, "nps", nps, f"case when {to_ten} then 10 else 5 end")
        | {"survey": f"case when {to_ten} then 'nps' else 'recommend' end"},
        _answer(prefix, key, answered_at, "csat", csat, of_csat, after=("nps",)),
        _answer(prefix, key, answered_at, "ces", ces, _to_seven(ces), after=("nps", "csat")),
    ]


def _to_seven(score: str) -> str:
    """5 where all answers of the file fit on it, else 7."""
    return f"case when max({score}) over () > 5 then 7 else 5 end"


def _answer(
    prefix: str, key: str, answered_at: str, survey: str, score: str, scale: str, after: Sequence[str] = ()
) -> dict[str, str]:
    # The comment belongs to the first figure of a response, so that it is counted once.
    told = " and ".join(f"{figure(other)} is null" for other in after)
    return {
        "answer_id": f"case when {score} between 0 and {scale} then '{prefix}:' || {key} || ':{survey}' end",
        "customer_id": KEY,
        "survey": f"'{survey}'",
        "score": score,
        "scale": scale,
        "comment": f"case when {told} then comment end" if told else "comment",
        "answered_at": answered_at,
    }

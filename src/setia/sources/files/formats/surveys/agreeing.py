"""Questions of a form whether the shop may write: by which channel, in which words, and what was said."""

from __future__ import annotations

from setia.sources.files.layout import text
from setia.sources.files.roles import Role

_TO_AGREE = (
    r"(?=.*\b(setuju|bersetuju|persetujuan|bersedia|izin|izinkan|mengizinkan|consent|agree|subscribe|opt in|"
    r"berlangganan|melanggan)\b)"
)
_TO_ADVERTISING = (
    r"(?=.*\b(promo|promos|promosi|promotions?|marketing|pemasaran|newsletter|buletin|penawaran|tawaran|offers?|diskon|"
    r"diskaun|news|updates?|info|informasi|maklumat|kabar|berita)\b)"
)
ASKED = rf"^{_TO_AGREE}{_TO_ADVERTISING}"
"""The plain header of such a question."""
_CHANNELS = {"whatsapp": r"\b(whatsapp|wa)\b", "sms": r"\bsms\b", "email": r"\b(email|e mail|emel|e mel|surel)\b"}
_NONE_NAMED = "(?!.*(" + "|".join(_CHANNELS.values()) + "))"

ROLES: dict[str, Role] = {
    "by_whatsapp": text(pattern=rf"{ASKED}(?=.*{_CHANNELS['whatsapp']})"),
    "by_sms": text(pattern=rf"{ASKED}(?=.*{_CHANNELS['sms']})"),
    # A question that names no channel is asked for the address that the form has.
    "by_email": text(pattern=rf"{ASKED}((?=.*{_CHANNELS['email']})|{_NONE_NAMED})"),
}
_YES = r"^(ya|yes|iya|ok|oke|boleh|true|tentu|sure)\b"
_NO = r"\b(tidak|tak|tdk|nggak|gak|no|not|don.?t|false|belum|jangan)\b"
_ALSO_YES = r"\b(setuju|bersetuju|bersedia|agree|saya|mau|subscribe)\b|✓|✔"


def consents(prefix: str, key: str, person: str, decided_at: str) -> list[dict[str, str]]:
    """The rows of `consents` of one response, one for each channel that was asked about."""
    return [_consent(prefix, key, person, decided_at, role) for role in ROLES]


def _consent(prefix: str, key: str, person: str, decided_at: str, role: str) -> dict[str, str]:
    channel = role.removeprefix("by_")
    where = "email" if channel == "email" else "phone"
    said = f"lower({role})"
    return {
        "consent_id": f"'{prefix}:' || {key} || ':{channel}'",
        "customer_id": person,
        "email": "email",
        "phone": "phone",
        "channel": f"'{channel}'",
        "purpose": "'marketing'",
        "state": f"case when {where} is null then null when regexp_matches({said}, '{_YES}') then 'given' "
        f"when regexp_matches({said}, '{_NO}') then 'withdrawn' "
        f"when regexp_matches({said}, '{_ALSO_YES}') then 'given' end",
        "source": "file_name",
        "wording": f"{role}_header || ': ' || {role}",
        "decided_at": decided_at,
    }

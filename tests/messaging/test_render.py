"""The written message: three languages, safe in text and HTML."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.kernel.i18n import Speaker
from setia.messaging.render import BadText, Letter, Offer, language_of, write


def letter(**changes: object) -> Letter:
    given = {
        "name": "Ayu",
        "shop": "Kopi Kita",
        "offer": Offer("percent", 10),
        "code": "BACK-2345ABCDE",
        "expires_at": dt.date(2026, 8, 31),
        "unsubscribe": "stop@kopi.example",
        "postal_address": "Jl. Kopi 1, Bandung",
    }
    return Letter(**{**given, **changes})  # type: ignore[arg-type]


BODY = "Hi {{ name }},\n\n{{ offer }}: {{ code }}\nuntil {{ expires }} at {{ shop }}"


@pytest.mark.parametrize(
    ("language", "offer", "expires", "stop"),
    [
        ("en", "10% off", "31 August 2026", "stop@kopi.example"),
        ("id", "10%", "31 Agustus 2026", "stop@kopi.example"),
        ("ms", "10%", "31 Ogos 2026", "stop@kopi.example"),
    ],
)
def test_the_parts_of_a_message(language: str, offer: str, expires: str, stop: str) -> None:
    written = write("{{ name }}!", BODY, letter(), Speaker.of(language), 1)
    assert written.subject == "Ayu!"
    for part in (written.text, written.html):
        for wanted in ("Hi Ayu,", offer, "BACK-2345ABCDE", expires, "Kopi Kita", stop, "Jl. Kopi 1, Bandung"):
            assert wanted in part
    assert f'<html lang="{language}">' in written.html
    assert written.text.index("BACK") < written.text.index("\n-- \n") < written.text.index("Jl. Kopi")


def test_without_an_address_to_stop_none_is_named() -> None:
    written = write("x", "y", letter(unsubscribe="", postal_address=""), Speaker.of("en"), 1)
    assert "To stop" not in written.text


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("percent", 12.0, "12% off"), ("amount", 25_000.0, "Rp25,000 off"), ("free_shipping", 0.0, "free shipping"),
     ("gift", 0.0, "a cup"), ("none", 0.0, "")],
)  # fmt: skip
def test_offers_in_words(kind: str, value: float, said: str) -> None:
    assert Offer(kind, value, {"en": "a cup"}).said(Speaker.of("en")) == said


@pytest.mark.parametrize(
    "template",
    ["{{ nmae }}", "{{ name", "{% if name %}", "{{ name | shout }}", "{% include 'x' %}", "{{ name.secret }}"],
)
def test_a_text_that_cannot_be_written_names_step_and_language(template: str) -> None:
    with pytest.raises(BadText, match=r"step 2 \(id\)"):
        write("x", template, letter(), Speaker.of("id"), 2)
    with pytest.raises(BadText, match=r"step 2 \(id\)"):
        write(template, "x", letter(), Speaker.of("id"), 2)


def test_the_language_of_a_customer() -> None:
    assert [language_of(each, "ms") for each in ("id", "fr", None, "")] == ["id", "ms", "ms", "ms"]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


PLAIN = write("{{ name }}", "Hi {{ name }}", letter(name="Ayu"), Speaker.of("en"), 1)


def tags(html: str) -> set[str]:
    parser = Tags()
    parser.feed(html)
    return set(parser.found)


@given(
    st.text(max_size=80)
    | st.sampled_from(["<script>x</script>", "{{ code }}", "{% raw %}", "a\r\nBcc: x@y.z", "\u2028x"])
)
def test_a_name_is_only_ever_a_name(name: str) -> None:
    written = write("{{ name }}", "Hi {{ name }}", letter(name=name), Speaker.of("en"), 1)
    assert len(written.subject.splitlines()) <= 1
    assert written.subject == " ".join(name.split())
    assert tags(written.html) <= tags(PLAIN.html) | {"br"}
    assert "BACK-2345ABCDE" not in written.text

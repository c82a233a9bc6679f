"""Every sentence has its Indonesian and its Malay words, with the same facts in them."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

import setia
from setia.kernel.i18n import Speaker

SOURCE = Path(setia.__file__).parent
KEYWORDS = {"speaker": None, "say": None, "N_": None, "Sentence": None, "self": None, "many": (1, 2)}
"""Of `many(one, many, n)` the second is the one that languages without a plural say."""
TABLE_KEYS = {
    *(
        "category",
        "channel",
        "cohorts",
        "costs",
        "group",
        "leaving_reasons",
        "lifetime_value",
        "next_order",
        "nps",
        "payback",
    ),
    *("model", "purpose", "reachable", "reason", "returning_revenue", "rfm_group", "stage", "title", "within"),
}
"""Literals inside `speaker(…[\"key\"])`, which the extractor cannot tell from sentences."""
NOT_A_VOICE = {"simulate", "store", "warehouse"}


def sentences() -> set[str]:
    found: set[str] = set()
    for file in sorted(SOURCE.rglob("*.py")):
        if file.relative_to(SOURCE).parts[0] in NOT_A_VOICE:
            continue
        for _line, message, _comments, _context in extract_from_file("python", str(file), keywords=KEYWORDS):
            found.add(message if isinstance(message, str) else message[-1] if len(message) == 2 else message[0])
    return {each for each in found - TABLE_KEYS if each}


def facts(sentence: str) -> list[str]:
    return sorted(name for _text, name, _spec, _conversion in string.Formatter().parse(sentence) if name is not None)


def catalogue(language: str) -> dict[str, str]:
    with (SOURCE / "locale" / language / "LC_MESSAGES" / "setia.po").open("rb") as file:
        read = read_po(file)
    assert not [message.id for message in read if message.fuzzy and message.id]
    return {str(message.id): str(message.string) for message in read if message.id}


def test_the_extractor_finds_the_sentences() -> None:
    found = sentences()
    assert "Whom to act on this week" in found
    assert len(found) > 150


@pytest.mark.parametrize("language", ["id", "ms"])
def test_every_sentence_is_translated(language: str) -> None:
    words = catalogue(language)
    assert sorted(each for each in sentences() if not words.get(each)) == []


@pytest.mark.parametrize("language", ["id", "ms"])
def test_no_translation_is_left_over(language: str) -> None:
    assert sorted(set(catalogue(language)) - sentences() - {"customer"}) == []


@pytest.mark.parametrize("language", ["id", "ms"])
def test_translations_keep_the_facts(language: str) -> None:
    differing = {each: words for each, words in catalogue(language).items() if facts(each) != facts(words)}
    assert differing == {}


NEVER = {
    "id": (
        "dampak program tidak ada",
        "tahanan",
        "pelanggan berisiko ",
        "tebus",
        "ganjaran",
        "kasar",
        "percuma",
        "seronok",
    ),
    "ms": (
        "bisa",
        "butuh",
        "gampang",
        "email",
        "diskon",
        "gratis",
        "pesan ",
        "tingkat",
        "karena",
        "dari pada",
        "bahwa",
    ),
}


@pytest.mark.parametrize("language", ["id", "ms"])
def test_words_that_read_wrong_stay_out(language: str) -> None:
    offending = {
        words for words in catalogue(language).values() for word in NEVER[language] if f" {word}" in f" {words.lower()}"
    }
    assert offending == set()


def test_the_two_languages_are_two() -> None:
    indonesian, malay = catalogue("id"), catalogue("ms")
    same = [each for each in indonesian if len(each) > 40 and indonesian[each] == malay[each]]
    assert same == []


def test_a_sentence_is_spoken_in_three_languages() -> None:
    spoken = [Speaker.of(language)("Customer retention rate") for language in ("en", "id", "ms")]
    assert spoken == ["Customer retention rate", "Tingkat retensi pelanggan", "Kadar pengekalan pelanggan"]

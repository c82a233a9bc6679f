"""Answers to surveys: questions in three languages, scales, comments, and who answered."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.app import Shop
from setia.sources.files.formats.surveys import agreeing
from setia.sources.files.formats.surveys.questions import PERSON, QUESTIONS, answers

ANSWERS = "select survey, score, scale, comment, answered_at from answers order by answered_at, survey"


def imported(shop: Shop, path: Path, header: Sequence[str], *rows: Sequence[object]) -> Any:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return shop.import_files([path])


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("How likely is it that you would recommend Toko Melati to a friend or colleague?", {"nps"}),
        ("On a scale of 0 to 10, how likely are you to recommend our shop?", {"nps", "nps_to_ten"}),
        ("Seberapa besar kemungkinan Anda merekomendasikan kami kepada teman atau keluarga?", {"nps"}),
        ("Dari skala 0-10, apakah Anda akan merekomendasikan kami?", {"nps", "nps_to_ten"}),
        ("Sejauh manakah kemungkinan anda mengesyorkan kami kepada rakan?", {"nps"}),
        ("Pada skala 0 hingga 10, berapakah kemungkinan anda mencadangkan kedai kami?", {"nps", "nps_to_ten"}),
        ("NPS", {"nps"}),
        ("Seberapa puas Anda dengan pelayanan kami?", {"csat"}),
        ("Sejauh manakah anda berpuas hati dengan perkhidmatan kami?", {"csat"}),
        ("What is your overall satisfaction with the order?", {"csat"}),
        ("On a scale of 0-10, how satisfied are you?", {"csat", "csat_to_ten"}),
        ("How easy was it to place your order?", {"ces"}),
        ("Seberapa mudah proses pemesanan?", {"ces"}),
        ("Why would you recommend us?", {"comment"}),
        ("Apa yang membuat Anda tidak puas?", {"comment"}),
        ("What could we do to improve?", {"comment"}),
        ("Kritik & Saran", {"comment"}),
        ("Cadangan penambahbaikan", {"comment"}),
        ("Maklum balas lain", {"comment"}),
        ("Alamat e-mel", {"email"}),
        ("Alamat Email", {"email"}),
        ("Nomor WhatsApp", {"phone"}),
        ("Nombor telefon", {"phone"}),
        # Neither an address nor a figure.
        ("Saya setuju menerima promo lewat email", set()),
        ("Saya bersetuju menerima promosi melalui WhatsApp", set()),
        ("Berapa kali Anda berbelanja?", set()),
        ("How did you hear about us?", set()),
        ("Apakah Anda puas dengan kemasan kami?", set()),
    ],
)
def test_a_question_is_known_by_its_words(header: str, roles: set[str]) -> None:
    known = {name for name, role in {**QUESTIONS, **PERSON}.items() if role.column([header])}
    assert known - {"asked"} == roles
    assert ("asked" in known) == bool(roles & {"nps", "csat", "ces"})


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=12),
            st.integers(-3, 120).map(str),
            st.tuples(st.integers(0, 10), st.sampled_from([" - Very likely", "/10", ".", " (puas)"])).map(
                lambda pair: f"{pair[0]}{pair[1]}"
            ),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_score_lies_beyond_its_scale(given_answers: list[str | None]) -> None:
    import duckdb

    rows = answers("form", "n::varchar", "timestamptz '2024-01-01 00:00:00+00'")
    columns = "null::varchar as nps_to_ten, null::varchar as csat, null::varchar as csat_to_ten, null::varchar as ces"
    source = f"select n, nps, null::varchar as comment, {columns} from said"
    connection = duckdb.connect()
    connection.execute("create table said (n integer, nps varchar)")
    connection.executemany("insert into said values (?, ?)", list(enumerate(given_answers)))
    found = connection.execute(
        f"select {rows[0]['answer_id']}, {rows[0]['score']}, {rows[0]['scale']} from ({source}) order by n"
    ).fetchall()
    told = [int(digits[0]) if (digits := re.findall("[0-9]+", said or "")) else None for said in given_answers]
    figures = [figure for figure in told if figure is not None]
    scale = 10 if figures and (max(figures) > 5 or min(figures) == 0) else 5
    for n, (identifier, score, on) in enumerate(found):
        figure = told[n]
        kept = figure is not None and figure <= scale
        assert (identifier is not None) == kept
        assert not kept or (score, on) == (figure, scale)


INDONESIAN = (
    "Timestamp", "Alamat email", "Nama Lengkap",
    "Seberapa besar kemungkinan Anda merekomendasikan kami kepada teman?", "Seberapa puas Anda dengan pelayanan kami?",
    "Apa alasan utama penilaian Anda?",
)  # fmt: skip
MALAY = (
    "Cap masa", "Alamat e-mel", "Nama penuh", "Sejauh manakah kemungkinan anda mengesyorkan kami kepada rakan?",
    "Tahap kepuasan anda terhadap perkhidmatan kami", "Maklum balas anda",
)  # fmt: skip
ENGLISH = (
    "Timestamp", "Email Address", "Name", "How likely are you to recommend us to a friend?",
    "How satisfied are you with our service?", "Any comments?",
)  # fmt: skip


@pytest.mark.parametrize("header", [INDONESIAN, MALAY, ENGLISH], ids=["id", "ms", "en"])
def test_google_forms(shop: Shop, tmp_path: Path, header: Sequence[str]) -> None:
    rows = [
        ["29/04/2024 17:05:51", "Siti@Example.com", "Siti Rahma", "9", "5", "Kopinya segar"],
        ["30/04/2024 08:00:00", "", "", "3", "", ""],
        ["30/04/2024 09:30:00", "budi@example.com", "Budi", "10 - sangat mungkin", "Sangat puas", "Mantap"],
    ]
    report = imported(shop, tmp_path / "Survei (Responses).csv", header, *rows)
    assert (report.files[0].understood.format, report.files[0].rejected) == ("Google Forms: responses", 0)
    # Times are the shop's own, in Jakarta; the comment goes with the first figure of a response.
    assert ask(shop, ANSWERS) == [
        ("csat", 5, 5, None, at("2024-04-29T17:05:51+07:00")),
        ("nps", 9, 10, "Kopinya segar", at("2024-04-29T17:05:51+07:00")),
        ("nps", 3, 10, None, at("2024-04-30T08:00:00+07:00")),
        ("csat", 5, 5, None, at("2024-04-30T09:30:00+07:00")),
        ("nps", 10, 10, "Mantap", at("2024-04-30T09:30:00+07:00")),
    ]
    siti, budi = (shop.identity.customer_id(a) for a in ("siti@example.com", "budi@example.com"))
    assert ask(shop, "select customer_id, score from answers where survey = 'nps' order by answered_at") == [
        (siti, 9), (None, 3), (budi, 10),
    ]  # fmt: skip
    assert ask(shop, "select customer_id, email, name from customers order by email") == [
        (budi, "budi@example.com", "Budi"),
        (siti, "siti@example.com", "Siti Rahma"),
    ]
    assert ask(shop, "select count(distinct answer_id) from answers") == [(5,)]
    assert imported(shop, tmp_path / "again.csv", header, *rows).snapshot is None


def test_more_answers_to_the_same_form_add_to_the_old(shop: Shop, tmp_path: Path) -> None:
    first = ["29/04/2024 17:05:51", "", "", "9", "", ""]
    imported(shop, tmp_path / "a.csv", ENGLISH, first)
    imported(shop, tmp_path / "b.csv", ENGLISH, first, ["30/04/2024 17:05:51", "", "", "6", "", ""])
    assert [row[:3] for row in ask(shop, ANSWERS)] == [("nps", 9, 10), ("nps", 6, 10)]


@pytest.mark.parametrize(
    ("question", "given", "expected"),
    [
        # Nothing but 1 to 5 was ever answered: no Net Promoter Score.
        (ENGLISH[3], ["5", "4", "1"], [("recommend", 5, 5), ("recommend", 4, 5), ("recommend", 1, 5)]),
        ("How likely are you to recommend us (0-10)?", ["5", "4"], [("nps", 5, 10), ("nps", 4, 10)]),
        (ENGLISH[3], ["5", "0"], [("nps", 5, 10), ("nps", 0, 10)]),
        (ENGLISH[4], ["7", "3"], [("csat", 7, 7), ("csat", 3, 7)]),
        (ENGLISH[4], ["9", "3"], [("csat", 9, 10), ("csat", 3, 10)]),
        (
            ENGLISH[4],
            ["Sangat tidak puas", "Kurang puas", "Cukup puas", "Puas", "Sangat puas"],
            [("csat", n, 5) for n in (1, 2, 3, 4, 5)],
        ),
        (
            ENGLISH[4],
            ["Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied", "Very satisfied"],
            [("csat", n, 5) for n in (1, 2, 3, 4, 5)],
        ),
        (
            ENGLISH[4],
            ["Sangat tidak berpuas hati", "Tidak berpuas hati", "Sederhana", "Berpuas hati", "Sangat berpuas hati"],
            [("csat", n, 5) for n in (1, 2, 3, 4, 5)],
        ),
        ("How easy was it to order?", ["2", "7"], [("ces", 2, 7), ("ces", 7, 7)]),
        # No figure, no answer; a figure beyond the scale is none either.
        (ENGLISH[3], ["8", "n/a", "11"], [("nps", 8, 10)]),
    ],
)
def test_the_scale_follows_question_and_answers(
    shop: Shop, tmp_path: Path, question: str, given: list[str], expected: list[tuple[str, int, int]]
) -> None:
    rows = [[f"29/04/2024 17:05:{second:02}", each] for second, each in enumerate(given)]
    imported(shop, tmp_path / "form.csv", ("Timestamp", question), *rows)
    assert [row[:3] for row in ask(shop, ANSWERS)] == expected


@pytest.mark.parametrize("zone", ["GMT+7", "GMT+07:00"])
def test_the_csv_that_google_forms_itself_offers(shop: Shop, tmp_path: Path, zone: str) -> None:
    header = ("Timestamp", "Username", "How likely are you to recommend us to a friend?")
    row = [f"2024/04/29 5:05:51 PM {zone}", "siti@example.com", "8"]
    imported(shop, tmp_path / "Survey.csv", header, row)
    assert ask(shop, ANSWERS) == [("nps", 8, 10, None, at("2024-04-29T17:05:51+07:00"))]


TYPEFORM = (
    "#", "How likely are you to recommend Toko Melati to a friend?", "What is the main reason for your score?",
    "What is your email?", "Response Type", "Start Date (UTC)", "Stage Date (UTC)", "Submit Date (UTC)", "Network ID",
    "Tags",
)  # fmt: skip


def test_typeform(shop: Shop, tmp_path: Path) -> None:
    rows = [
        ["odwdp4nzj1xg6m9l36odwdp4nzlv2gcw", "10", "Cepat", "siti@example.com", "completed", "2024-10-05 17:39:31", "",
         "2024-10-05 17:41:38", "653e97acae", ""],
        ["abc", "2", "Lambat", "", "partial", "2024-10-05 18:00:00", "2024-10-05 18:01:00", "", "653e97acae", ""],
    ]  # fmt: skip
    report = imported(shop, tmp_path / "responses.csv", TYPEFORM, *rows)
    assert (report.files[0].understood.format, report.files[0].rejected) == ("Typeform: responses", 0)
    assert ask(shop, "select answer_id, customer_id, survey, score, scale, comment, answered_at, day from answers") == [
        ("typeform:odwdp4nzj1xg6m9l36odwdp4nzlv2gcw:nps", shop.identity.customer_id("siti@example.com"), "nps", 10, 10,
         "Cepat", at("2024-10-05T17:41:38+00:00"), dt.date(2024, 10, 6)),
    ]  # fmt: skip
    assert imported(shop, tmp_path / "again.csv", TYPEFORM, *rows).snapshot is None


@pytest.mark.parametrize(
    "own",
    [
        ("Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
         "Last Name", "Custom Data 1"),
        ("RespondentID", "CollectorID", "StartDate", "EndDate", "IP Address", "Email Address", "First Name",
         "LastName", "Custom Data"),
    ],
    ids=["newer headers", "older headers"],
)  # fmt: skip
def test_surveymonkey(shop: Shop, tmp_path: Path, own: Sequence[str]) -> None:
    header = (*own, "How likely is it that you would recommend this company to a friend or colleague?", "Any comments?")
    rows = [
        ["", "", "", "", "", "", "", "", "", "Response", "Open-Ended Response"],
        ["118052219061", "446111201", "06/10/2024 07:48:07 AM", "06/10/2024 08:09:25 AM", "192.0.2.1",
         "aminah@example.com", "Aminah", "Ismail", "", "10 - Extremely likely", "Bagus"],
        ["118052219062", "446111201", "06/13/2024 07:48:07 AM", "06/13/2024 07:50:00 PM", "192.0.2.2", "", "", "", "",
         "0 - Not at all likely", ""],
    ]  # fmt: skip
    report = imported(shop, tmp_path / "Survey.csv", header, *rows)
    assert (report.files[0].understood.format, report.files[0].rejected) == ("SurveyMonkey: responses", 0)
    columns = "answer_id, survey, score, scale, comment, answered_at"
    assert ask(shop, f"select {columns} from answers order by answer_id") == [
        ("surveymonkey:118052219061:nps", "nps", 10, 10, "Bagus", at("2024-06-10T08:09:25+07:00")),
        ("surveymonkey:118052219062:nps", "nps", 0, 10, None, at("2024-06-13T19:50:00+07:00")),
    ]
    assert ask(shop, "select email, name from customers") == [("aminah@example.com", "Aminah Ismail")]


def test_delighted(shop: Shop, tmp_path: Path) -> None:
    person = {"id": "10", "name": "Siti Rahma", "email": "siti@example.com", "created_at": 1713418000}
    base: dict[str, Any] = {"comment": None, "updated_at": None, "person_properties": None, "notes": [], "tags": []}
    responses = [
        {"id": "1", "person": person, "survey_type": "nps", "score": 0, "created_at": 1713418460,
         "permalink": "https://app.delighted.com/r/2jo3", **base},
        {"id": "2", "person": person, "survey_type": "csat", "score": 4, "created_at": 1713497396,
         "permalink": "https://app.delighted.com/r/0Dke", **base, "comment": "Enak"},
    ]  # fmt: skip
    path = tmp_path / "survey_responses.json"
    path.write_text(json.dumps(responses), encoding="utf-8")
    shop.import_files([path])
    siti = shop.identity.customer_id("siti@example.com")
    assert ask(
        shop,
        "select answer_id, customer_id, survey, score, scale, comment, answered_at from answers order by answer_id",
    ) == [
        ("delighted:1", siti, "nps", 0, 10, None, at("2024-04-18T05:34:20+00:00")),
        ("delighted:2", siti, "csat", 4, 5, "Enak", at("2024-04-19T03:29:56+00:00")),
    ]
    assert ask(shop, "select email, name from customers") == [("siti@example.com", "Siti Rahma")]
    assert shop.import_files([path]).snapshot is None


SIGN_UP = (
    "Timestamp", "Nama", "Email", "Nomor WhatsApp", "Apakah Anda bersedia menerima promo lewat WhatsApp?",
    "Saya setuju menerima newsletter dan penawaran Toko Melati",
)  # fmt: skip


def test_consents_of_a_sign_up_form_with_their_words(shop: Shop, tmp_path: Path) -> None:
    rows = [
        ["01/05/2024 09:00:00", "Siti", "siti@example.com", "0812-3456-7890", "Ya", "Setuju"],
        ["13/05/2024 09:00:01", "Budi", "budi@example.com", "", "Ya, boleh", "Tidak"],
        ["13/05/2024 09:00:02", "Aminah", "aminah@example.com", "+60123456789", "Tidak, terima kasih", ""],
    ]
    report = imported(shop, tmp_path / "Daftar member.csv", SIGN_UP, *rows)
    assert report.files[0].understood.format == "Google Forms: responses"
    key = {name: shop.identity.customer_id(f"{name}@example.com") for name in ("siti", "budi", "aminah")}
    columns = "customer_id, channel, purpose, state, source, wording, decided_at"
    source = "Daftar member.csv"
    # Nobody can be written to by WhatsApp without a number, whatever was answered.
    assert ask(shop, f"select {columns} from consents order by decided_at, channel") == [
        (key["siti"], "email", "marketing", "given", source, f"{SIGN_UP[5]}: Setuju", at("2024-05-01T09:00:00+07:00")),
        (key["siti"], "whatsapp", "marketing", "given", source, f"{SIGN_UP[4]}: Ya", at("2024-05-01T09:00:00+07:00")),
        (key["budi"], "email", "marketing", "withdrawn", source, f"{SIGN_UP[5]}: Tidak",
         at("2024-05-13T09:00:01+07:00")),
        (key["aminah"], "whatsapp", "marketing", "withdrawn", source, f"{SIGN_UP[4]}: Tidak, terima kasih",
         at("2024-05-13T09:00:02+07:00")),
    ]  # fmt: skip
    assert ask(shop, "select * from answers") == []
    assert ask(shop, "select name, phone from customers order by name") == [
        ("Aminah", "+60123456789"), ("Budi", None), ("Siti", "+6281234567890"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "channels"),
    [
        ("Saya setuju menerima promo lewat email dan WhatsApp", {"by_email", "by_whatsapp"}),
        ("Saya bersetuju menerima promosi melalui e-mel", {"by_email"}),
        ("I agree to receive offers and news", {"by_email"}),
        ("May we text you? I agree to receive promotions by SMS", {"by_sms"}),
        # Agreeing to something else.
        ("Saya setuju dengan syarat dan ketentuan", set()),
        ("I agree to the terms", set()),
        ("Promo apa yang Anda suka?", set()),
    ],
)
def test_a_question_of_consent_is_known_by_its_words(header: str, channels: set[str]) -> None:
    assert {name for name, role in agreeing.ROLES.items() if role.column([header])} == channels

"""E-mail against real SMTP servers on this machine, polite and hostile."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setia.channels.email import EmailChannel
from setia.channels.email.smtp import MAILS_PER_CONNECTION
from setia.channels.port import Message, Outcome
from setia.settings import EmailSettings

SENDER = "Kopi Kita <halo@kopi.example>"


def message(number: int = 1, **changes: str) -> Message:
    given: dict[str, str] = {
        "send_id": f"send{number}",
        "to": f"orang{number}@example.com",
        "subject": "Halo",
        "text": "Apa kabar?\n",
        "html": "<p>Apa kabar?</p>",
    }
    return Message(**{**given, **changes})


@pytest.fixture
def channel(mail_server: Any) -> Any:
    """Makes a channel with its server: `channel(answer, **settings)`."""
    made = []

    def make(answer: Any = None, **more: Any) -> tuple[EmailChannel, Any]:
        server = mail_server(answer)
        own = {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": SENDER, "timeout_seconds": 5}
        made.append(EmailChannel(EmailSettings(**{**own, **more})))
        return made[-1], server

    yield make
    for each in made:
        each.close()


def at(verb: str, reply: str, times: int = 99) -> Any:
    """A server that gives this reply at this verb, so many times."""
    left = [times]

    def answer(heard: str, argument: str, talk: Any) -> str | None:
        if heard == verb and left[0]:
            left[0] -= 1
            return reply
        return None

    return answer


def test_what_arrives_is_what_was_written(channel: Any, mailing: Any) -> None:
    mailer, server = channel(unsubscribe="stop@kopi.example")
    subject, text = "Ayu, kami kangen — 想念你 ☕", "Halo Ayu\n.\n..titik\nRp150.000 — ☕\n" + "panjang " * 300
    outcome = mailer.send(message(subject=subject, text=text, html="<p>Ayu &amp; Budi ☕</p>"))
    assert (outcome.kind, outcome.bad_address) == ("accepted", False)
    ((to, content),) = server.received
    assert to == "orang1@example.com"
    assert server.conversations[0].sender == "halo@kopi.example"
    mail = mailing.parsed(content)
    assert mail["Subject"] == subject
    assert mail["Message-ID"] == "<send1@kopi.example>"
    assert str(mail["To"]) == "orang1@example.com"
    assert str(mail["From"]) == SENDER
    assert mail["List-Unsubscribe"] == "<mailto:stop@kopi.example?subject=stop>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert mailing.part(mail, "plain").replace("\r\n", "\n") == text + "\n"
    assert mailing.part(mail, "html").strip() == "<p>Ayu &amp; Budi ☕</p>"
    # Whatever a server takes: lines within SMTP's limit, seven bits, no bare line end.
    assert max(map(len, content.splitlines())) <= 998
    assert max(content) < 128
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)


def test_the_same_send_always_bears_the_same_message_id(channel: Any, mailing: Any) -> None:
    mailer, server = channel()
    for number in (1, 1, 2):
        mailer.send(message(number))
    assert [mail["Message-ID"] for mail in server.mails()] == [
        "<send1@kopi.example>", "<send1@kopi.example>", "<send2@kopi.example>"
    ]  # fmt: skip
    assert all("List-Unsubscribe" not in mail for mail in server.mails())


def test_one_connection_carries_many_mails_and_then_another_one(channel: Any) -> None:
    mailer, server = channel()
    for number in range(MAILS_PER_CONNECTION + 5):
        assert mailer.send(message(number)).kind == "accepted"
    mailer.close()
    assert len(server.received) == MAILS_PER_CONNECTION + 5
    assert len(server.conversations) == 2
    assert all(talk.verbs[-1] == "QUIT" for talk in server.conversations)


@pytest.mark.parametrize(
    ("verb", "reply", "kind", "bad_address"),
    [
        ("RCPT", "550 5.1.1 no such user", "rejected", True),
        ("RCPT", "553 5.1.3 bad syntax", "rejected", True),
        ("RCPT", "550 5.7.1 policy", "rejected", False),
        ("RCPT", "552 5.2.2 mailbox full", "rejected", False),
        ("RCPT", "550 user 15.1.1 unknown", "rejected", False),
        ("RCPT", "450 4.2.0 greylisted", "later", False),
        ("RCPT", "421 4.7.0 too many", "later", False),
        ("RCPT", "hang up", "later", False),
        ("DATA", "451 4.3.0 not now", "later", False),
        ("DATA", "554 5.7.1 spam", "rejected", False),
        ("DATA", "hang up", "later", False),
        ("MAIL", "hang up", "later", False),
        # The sender or the whole server: nobody else's mail would fare better.
        ("MAIL", "530 5.7.0 authentication required", "unreachable", False),
        ("MAIL", "451 4.7.1 slow down", "unreachable", False),
        ("HELLO", "554 go away", "unreachable", False),
        ("HELLO", "hang up", "unreachable", False),
        # After the text.
        ("END", "451 4.3.0 disk full", "later", False),
        ("END", "554 5.6.0 spam", "rejected", False),
        ("END", "hang up", "unknown", False),
        ("END", "nonsense", "unknown", False),
    ],
)
def test_what_the_server_says_decides(channel: Any, verb: str, reply: str, kind: str, bad_address: bool) -> None:
    mailer, server = channel(at(verb, reply, times=1))
    outcome = mailer.send(message())
    assert (outcome.kind, outcome.bad_address) == (kind, bad_address)
    assert len(server.received) == (kind == "unknown")
    # Whatever it was, the next mail goes through.
    assert mailer.send(message(2)).kind == "accepted"


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("HELLO", "unreachable"), ("MAIL", "later"), ("RCPT", "later"), ("DATA", "later"), ("END", "unknown")],
)
def test_a_server_that_falls_silent(channel: Any, mailing: Any, verb: str, kind: str) -> None:
    mailer, _server = channel(at(verb, mailing.STALL), timeout_seconds=0.3)
    assert mailer.send(message()).kind == kind


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_kept_connection_that_is_gone_is_made_anew_at_once(channel: Any, mailing: Any, verb: str) -> None:
    second = [False]

    def answer(heard: str, argument: str, talk: Any) -> str | None:
        if heard == verb and second[0]:
            second[0] = False
            return str(mailing.HANG_UP)
        return None

    mailer, server = channel(answer)
    assert mailer.send(message(1)).kind == "accepted"
    second[0] = True
    assert mailer.send(message(2)).kind == "accepted"
    assert server.to() == ["orang1@example.com", "orang2@example.com"]


def test_a_refusal_stays_one_when_the_server_hangs_up_after_it(channel: Any, mailing: Any) -> None:
    def answer(heard: str, argument: str, talk: Any) -> str | None:
        if "bad" in talk.to:
            return {"RCPT": "550 5.1.1 unknown", "RSET": mailing.HANG_UP}.get(heard)
        return None

    mailer, _server = channel(answer)
    assert mailer.send(message(to="bad@example.com")).bad_address
    assert mailer.send(message(2)).kind == "accepted"


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mailer = EmailChannel(EmailSettings(host="127.0.0.1", port=port, security="none", sender=SENDER))
    assert mailer.send(message()).kind == "unreachable"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_without_encryption_gets_nothing(channel: Any, security: str) -> None:
    mailer, server = channel(security=security, timeout_seconds=1)
    assert mailer.send(message()).kind == "unreachable"
    assert server.received == []


def test_a_sender_that_is_none_is_nobodys_fault(channel: Any) -> None:
    mailer, server = channel(sender="nobody")
    assert mailer.send(message()).kind == "unreachable"
    assert server.received == []


@pytest.mark.parametrize(
    "address",
    [
        "", "ayu", "@example.com", "ayu@", "a b@example.com", "ayu@example.com\r\nRCPT TO:<x@evil.example>",
        "ayu@example.com>\nDATA", "a@b@example.com", "ayu@example.com,x@evil.example", "<ayu@example.com>",
        "ünïcode@example.com", "ayu@-..example", "ayu\x00@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_never_reaches_a_server(channel: Any, address: str) -> None:
    mailer, server = channel()
    outcome = mailer.send(message(to=address))
    assert (outcome.kind, outcome.bad_address) == ("rejected", True)
    assert server.received == []
    assert server.conversations == []


def test_an_international_domain(channel: Any) -> None:
    mailer, server = channel()
    assert mailer.send(message(to="ayu@kopi-enak.みんな")).kind == "accepted"
    assert server.to() == ["ayu@kopi-enak.xn--q9jyb4c"]


ANY = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=ANY, text=ANY, html=ANY, local=st.text("ab\"'()<>[];:,\\.!#$%&*+-/=?^_`{|}~ \t\r\n@", max_size=8))
def test_no_text_breaks_out_of_its_place(
    mail_server: Any, mailing: Any, subject: str, text: str, html: str, local: str
) -> None:
    server = _same_server(mail_server)
    mailer = EmailChannel(EmailSettings(host="127.0.0.1", port=server.port, security="none", sender=SENDER))
    before = len(server.received)
    outcome = mailer.send(
        message(subject=f"x\r\nBcc: y@evil.example\n{subject}", text=text, html=html, to=f"{local}@x.example")
    )
    mailer.close()
    assert isinstance(outcome, Outcome)
    if outcome.kind == "rejected":
        assert len(server.received) == before
        return
    assert outcome.kind == "accepted"
    (to, content) = server.received[-1]
    assert to == f"{local.strip()}@x.example"
    mail = mailing.parsed(content)
    assert sorted(mail.keys()) == sorted(
        ["From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert mail["Subject"].startswith("x Bcc: y@evil.example")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)


_kept: list[Any] = []


def _same_server(mail_server: Any) -> Any:
    if not _kept or _kept[0] is not mail_server:
        _kept[:] = [mail_server, mail_server()]
    return _kept[1]

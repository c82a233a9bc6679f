"""One SMTP conversation at a time, with the moment after which a message may have been taken told apart."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from typing import Literal

from setia.channels.port import Message, Outcome
from setia.settings import EmailSettings, secret

MAILS_PER_CONNECTION = 100

_POLICY = SMTP.clone(cte_type="7bit")  # whatever the server can or cannot take
_ENHANCED_BAD_ADDRESS = re.compile(r"\b5\.1\.\d")
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")


class EmailChannel:
    """Sends mails over SMTP, keeping the connection for a number of them."""

    name = "email"

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0

    def send(self, message: Message) -> Outcome:
        """Hand one mail to the server.

        Everything before the text is safe to repeat, and is repeated once where a kept connection turns out to be
        gone; once the text is on its way only the server's answer tells.
        """
        sender, address = _on_the_wire(parseaddr(self._settings.sender)[1]), _on_the_wire(message.to)
        if sender is None:
            return Outcome("unreachable", "the sender is not an address")
        if address is None:
            return Outcome("rejected", "not an address that can be written to", bad_address=True)
        try:
            content = self._mail(message, address).as_bytes()
        except (ValueError, AttributeError, IndexError) as problem:
            # The library of mail headers gives up on some addresses in ways of its own.
            return Outcome("rejected", f"not an address that can be written to ({problem})", bad_address=True)
        for kept in (self._smtp is not None, False):
            try:
                smtp = self._connected()
            except (smtplib.SMTPException, OSError) as problem:
                self._drop()
                return Outcome("unreachable", str(problem))
            try:
                refused = self._introduced(smtp, sender, address)
            except (smtplib.SMTPException, OSError) as problem:
                self._drop()
                if kept:
                    continue
                return Outcome("later", str(problem))
            break
        return refused or self._handed_over(smtp, content)

    def _introduced(self, smtp: smtplib.SMTP, sender: str, address: str) -> Outcome | None:
        """Everything up to the server's leave to send the text; None when it gives it."""
        code, answer = smtp.docmd(f"MAIL FROM:<{sender}>")
        if code != 250:
            self._start_over(smtp, code)
            return Outcome("unreachable", _said(code, answer))  # it is the sender that is refused, whoever receives
        code, answer = smtp.docmd(f"RCPT TO:<{address}>")
        if code not in (250, 251):
            self._start_over(smtp, code)
            bad_address = code >= 500 and _ENHANCED_BAD_ADDRESS.search(_said(code, answer)) is not None
            return Outcome(_kind(code), _said(code, answer), bad_address)
        code, answer = smtp.docmd("DATA")
        if code != 354:
            self._start_over(smtp, code)
            return Outcome(_kind(code), _said(code, answer))
        return None

    def _start_over(self, smtp: smtplib.SMTP, code: int) -> None:
        try:
            if code == 421 or smtp.rset()[0] != 250:  # 421: the server hangs up
                self._drop()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _handed_over(self, smtp: smtplib.SMTP, content: bytes) -> Outcome:
        try:
            smtp.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
            code, answer = smtp.getreply()
        except (smtplib.SMTPException, OSError) as problem:
            self._drop()
            return Outcome("unknown", str(problem))
        if not 200 <= code < 300:
            self._start_over(smtp, code)
            return Outcome(_kind(code) if code >= 400 else "unknown", _said(code, answer))
        self._sent += 1
        if self._sent >= MAILS_PER_CONNECTION:
            self.close()
        return Outcome("accepted", _said(code, answer))

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is None:
            own = self._settings
            if own.security == "tls":
                context = ssl.create_default_context()
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                    own.host or "", own.port, timeout=own.timeout_seconds, context=context
                )
            else:
                smtp = smtplib.SMTP(own.host or "", own.port, timeout=own.timeout_seconds)
            self._smtp, self._sent = smtp, 0
            if own.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            password = secret(own.password, own.password_file)
            if own.username is not None and password is not None:
                smtp.login(own.username, password)
            smtp.ehlo_or_helo_if_needed()
        return self._smtp

    def _mail(self, message: Message, address: str) -> EmailMessage:
        mail = EmailMessage(policy=_POLICY)
        mail["From"], mail["To"], mail["Subject"] = self._settings.sender, address, " ".join(message.subject.split())
        domain = parseaddr(self._settings.sender)[1].rpartition("@")[2] or "localhost"
        # The same send always bears the same Message-ID, so that a mailbox can tell a repeat.
        mail["Message-ID"] = f"<{message.send_id}@{domain}>"
        mail["Date"] = formatdate(usegmt=True)
        if self._settings.unsubscribe:
            mail["List-Unsubscribe"] = f"<mailto:{self._settings.unsubscribe}?subject=stop>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        return mail

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def close(self) -> None:
        """Say goodbye to the server."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._drop()
            self._smtp = None


def _on_the_wire(address: str) -> str | None:
    """An address as SMTP takes it, an international domain in its ASCII form; None for what is no single address."""
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and domain) or "@" in local or "," in local or _UNSAFE.search(local + domain):
        return None
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def _said(code: int, answer: bytes | str) -> str:
    return f"{code} {answer.decode('utf-8', 'replace') if isinstance(answer, bytes) else answer}"


def _kind(code: int) -> Literal["later", "rejected"]:
    return "rejected" if code >= 500 else "later"

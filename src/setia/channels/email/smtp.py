"""One SMTP conversation at a time, with the moment after which a message may have been taken told apart."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from setia.channels.port import Message, Outcome
from setia.settings import EmailSettings, secret

MAILS_PER_CONNECTION = 100


class EmailChannel:
    """Sends mails over SMTP, keeping the connection for a number of them."""

    name = "email"

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0

    def send(self, message: Message) -> Outcome:
        """Hand one mail to the server.

        Everything before the text is safe to repeat; once the text is on its way only the server's answer tells.
        """
        sender = parseaddr(self._settings.sender)[1]
        try:
            smtp = self._connected()
            code, answer = smtp.mail(sender)
            if code == 250:
                code, answer = smtp.rcpt(message.to)
                if code not in (250, 251):
                    smtp.rset()
                    return _refused(code, answer, at_recipient=True)
            else:
                smtp.rset()
                return _refused(code, answer)
        except (smtplib.SMTPException, OSError) as problem:
            self._drop()
            return Outcome("later", str(problem))
        return self._handed_over(smtp, self._mail(message))

    def _handed_over(self, smtp: smtplib.SMTP, mail: EmailMessage) -> Outcome:
        try:
            code, answer = smtp.data(mail.as_bytes())
        except smtplib.SMTPDataError as refused:
            return _refused(refused.smtp_code, refused.smtp_error)
        except (smtplib.SMTPException, OSError) as problem:
            self._drop()
            return Outcome("unknown", str(problem))
        self._sent += 1
        if self._sent >= MAILS_PER_CONNECTION:
            self.close()
        return Outcome("accepted", _words(answer)) if code == 250 else _refused(code, answer)

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
                if own.security == "starttls":
                    smtp.starttls(context=ssl.create_default_context())
            password = secret(own.password, own.password_file)
            if own.username is not None and password is not None:
                smtp.login(own.username, password)
            smtp.ehlo_or_helo_if_needed()
            self._smtp, self._sent = smtp, 0
        return self._smtp

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._settings.sender, message.to, message.subject
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


def _words(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _refused(code: int, answer: bytes | str, *, at_recipient: bool = False) -> Outcome:
    said = f"{code} {_words(answer)}"
    if code < 500:
        return Outcome("later", said)
    return Outcome("rejected", said, bad_address=at_recipient and "5.1." in said)

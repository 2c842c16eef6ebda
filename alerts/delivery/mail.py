"""E-mail by SMTP: one connection a notice, encrypted, with an end to waiting. What it says is `letter.py`.

The Message-ID is the notice's, so that a retry is the same letter. Must never fall back to an unencrypted connection,
and never put an address or the server's words into what is logged or kept.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from alerts.delivery.letter import is_for_a_doctor, letter
from alerts.delivery.outcome import Delivered, Message, Outcome, Refused, Retry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alerts.delivery.settings import MailSettings
    from alerts.links import Links

_LOG: Any = structlog.get_logger(__name__)
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")
_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})\b")
LONGEST_S = 8.0
"""For all steps together: less than a lease, or another station would send it beside us."""
_OK, _AFTER_DATA, _PERMANENT = 200, 400, 500


class _Answered(Exception):
    """The server said something else than yes."""

    def __init__(self, step: str, code: int, said: bytes) -> None:
        self.code = code
        enhanced = _ENHANCED.match(said)
        # The rest of what it says may hold the address.
        super().__init__(f"SMTP {code}{' ' + enhanced[1].decode() if enhanced else ''} at {step}")


class Mail:
    """Writes to people at their e-mail addresses."""

    def __init__(
        self,
        settings: MailSettings,
        keys: Path,
        timeout_s: float = 5.0,
        tls: ssl.SSLContext | None = None,
        links: Links | None = None,
    ) -> None:
        """`timeout_s`: for each step. `tls`: whom to trust; None: the system's authorities. `links`: of letters to doctors."""
        self._settings = settings
        self._password = keys / "mail.password"
        self._timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()
        self._links = links

    def deliver(self, message: Message) -> Outcome:
        """Hand one letter to the server. A permanent no (5xx) is refused; a no for now, or no server, is tried again."""
        if not _ADDRESS.fullmatch(message.address):
            return Refused("the address is no e-mail address")
        if self._settings.user and not self._password.is_file():
            return Refused("the mail server wants a login: put its password into keys/mail.password")
        outcome = self._sent(message)
        _LOG.info("email", notice=str(message.notice), outcome=type(outcome).__name__)
        return outcome

    def greeted(self) -> Outcome:
        """Connect, encrypt and log in, and send nothing: whether the server would take a letter of ours."""
        if self._settings.user and not self._password.is_file():
            return Refused("the mail server wants a login: put its password into keys/mail.password")
        return self._tried(lambda *_: None)

    def _sent(self, message: Message) -> Outcome:
        link = self._links.of(message.notice) if self._links and is_for_a_doctor(message.body) else None
        written = letter(message, self._settings.sender, link).as_bytes()

        def hand_over(smtp: smtplib.SMTP, until: float) -> None:
            _in_time(smtp, until, self._timeout_s)
            _expect("sender", *smtp.mail(self._settings.sender))
            _in_time(smtp, until, self._timeout_s)
            _expect("recipient", *smtp.rcpt(message.address))
            _in_time(smtp, until, self._timeout_s)
            try:
                _expect("letter", *smtp.data(written))
            except smtplib.SMTPDataError as no:
                raise _Answered("letter", no.smtp_code, b"") from None

        return self._tried(hand_over)

    def _tried(self, converse: Callable[[smtplib.SMTP, float], None]) -> Outcome:
        try:
            self._converse(converse, time.monotonic() + LONGEST_S)
        except _Answered as no:
            return Refused(str(no)) if no.code >= _PERMANENT else Retry(str(no))
        except smtplib.SMTPNotSupportedError:
            return Refused("the mail server offers no STARTTLS or no login: nothing is sent in the clear")
        except smtplib.SMTPResponseException as no:
            answered = _Answered("login", no.smtp_code, no.smtp_error if isinstance(no.smtp_error, bytes) else b"")
            return Refused(str(answered)) if no.smtp_code >= _PERMANENT else Retry(str(answered))
        except (smtplib.SMTPException, OSError) as error:
            return Retry(f"{type(error).__name__}: no answer of the mail server")
        return Delivered("the mail server has taken it")

    def _converse(self, converse: Callable[[smtplib.SMTP, float], None], until: float) -> None:
        smtp = self._connected()
        try:
            if self._settings.security == "starttls":
                _in_time(smtp, until, self._timeout_s)
                smtp.starttls(context=self._tls)
            if self._settings.user:
                _in_time(smtp, until, self._timeout_s)
                smtp.login(self._settings.user, self._password.read_text(encoding="utf-8").strip())
            _in_time(smtp, until, self._timeout_s)
            smtp.ehlo_or_helo_if_needed()
            converse(smtp, until)
            with suppress(smtplib.SMTPException, OSError):  # taken is taken, however it says goodbye
                smtp.quit()
        finally:
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        if self._settings.security == "tls":
            return smtplib.SMTP_SSL(
                self._settings.host, self._settings.port, timeout=self._timeout_s, context=self._tls
            )
        return smtplib.SMTP(self._settings.host, self._settings.port, timeout=self._timeout_s)


def _expect(step: str, code: int, said: bytes) -> None:
    if not _OK <= code < _AFTER_DATA:
        raise _Answered(step, code, said)


def _in_time(smtp: smtplib.SMTP, until: float, timeout_s: float) -> None:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the mail server took too long")
    if smtp.sock is not None:
        smtp.sock.settimeout(min(left, timeout_s))

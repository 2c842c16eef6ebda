# ruff: noqa: RUF001 - Chinese has its own punctuation
"""E-mail against a real SMTP server on loopback: taken, refused, greylisted, down, slow, encrypted, logged in."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from alerts.carrying import Carried
from alerts.delivery.mail import Mail
from alerts.delivery.outcome import Delivered, Message, Outcome, Refused, Retry
from alerts.delivery.settings import MailSettings
from alerts.ladder import Role
from alerts.payload import Material, compose
from alerts.record import Record
from stream.finding import Condition
from tests.alerts.desk import START, finding
from tests.alerts.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

BODY: dict[str, Any] = {
    "type": "alert.raised",
    "data": {
        "alert_id": "5f0c6c8e-8d0f-5a0e-9b8e-2f6f0c0f7a11",
        "patient": "ada-1",
        "condition": "af",
        "condition_name": {"en": "atrial fibrillation", "zh": "心房颤动"},
        "what_to_do": {"en": ["Look at the strip."], "zh": ["请查看心电图。"]},
        "onset": "2026-11-24T08:00:00Z",
        "reason": {
            "en": "Doctor: atrial fibrillation; a doctor needs to decide.",
            "zh": "医生：心房颤动；需要医生判断。",
        },
        "evidence": {"rate_bpm": 131.0},
        "record": {"patient": "ada-1", "name": "王秀英", "address": "withheld", "allergies": ["penicillin"]},
        "strip": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    },
}


@dataclass
class Office:
    """A mail server's desk: what came, and what it says to each step."""

    letters: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    rcpt: str = "250 OK"
    data: str = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the same
        if self.data.startswith("250"):
            self.letters.append(envelope.content)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return self.data

    def letter(self) -> EmailMessage:
        return message_from_bytes(self.letters[-1], policy=policy.default)  # type: ignore[return-value]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def server(office: Office) -> Iterator[int]:
    yield from _open(office)


def _open(office: Office, **more: Any) -> Iterator[int]:
    controller = Controller(office, hostname="127.0.0.1", port=_free(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _to(port: int, tmp_path: Path, tls: ssl.SSLContext | None = None, **more: Any) -> Mail:
    given = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "alerts@tierwatch.example"} | more
    return Mail(MailSettings(**given), tmp_path, 1.0, tls)


def _message(
    notice: UUID | None = None, tier: str = "doctor", address: str = "lin@clinic.example", **more: Any
) -> Message:
    body = BODY | {"data": BODY["data"] | more}
    return Message(
        notice=notice or uuid4(), type="alert.raised", person="lin", address=address, tier=tier,
        body=json.dumps(body, ensure_ascii=False).encode(), at=datetime(2026, 11, 24, 8, tzinfo=UTC),
    )  # fmt: skip


def test_a_letter_says_it_in_both_languages_as_text_and_as_a_page(office: Office, server: int, tmp_path: Path) -> None:
    message = _message()
    assert isinstance(_to(server, tmp_path).deliver(message), Delivered)
    assert office.envelopes == [("alerts@tierwatch.example", ["lin@clinic.example"])]
    letter = office.letter()
    plain, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert page is not None
    for part in (plain.get_content(), page.get_content()):
        for word in (
            "atrial fibrillation; a doctor needs",
            "需要医生判断",
            "王秀英",
            "penicillin",
            "rate_bpm 131.0",
            "Look at the strip",
            "请查看",
        ):
            assert word in part
    assert [one.get_filename() for one in letter.iter_attachments()] == ["strip.svg"]


def test_a_retry_is_the_same_letter_and_all_of_one_alert_lie_together(
    office: Office, server: int, tmp_path: Path
) -> None:
    message = _message()
    for _ in range(2):
        assert isinstance(_to(server, tmp_path).deliver(message), Delivered)
    _to(server, tmp_path).deliver(_message())
    letters = [message_from_bytes(one) for one in office.letters]
    assert letters[0]["message-id"] == letters[1]["message-id"] == f"<{message.notice}@tierwatch.example>"
    assert letters[2]["message-id"] != letters[0]["message-id"]
    assert len({one["references"] for one in letters}) == 1


def test_the_subject_names_no_patient(office: Office, server: int, tmp_path: Path) -> None:
    _to(server, tmp_path).deliver(_message(tier="emergency"))
    subject = office.letter()["subject"]
    assert subject == "[Tierwatch] EMERGENCY alert: atrial fibrillation / 紧急 警报: 心房颤动"
    for word in ("ada", "王秀英"):
        assert word not in subject
    assert office.letter()["x-priority"] == "1"


def _composed(role: Role) -> bytes:
    """What the product really says to somebody of this role."""
    story = World()
    story.says(finding(Condition.VF))
    alert = story.alert(Condition.VF)
    notice = next(one for one in story.notices.values() if one.to.role is role)
    record = Record(
        patient="ada", name="王秀英", address="1 Sample Street", door_code="4711", allergies=("penicillin",)
    )
    material = Material(
        alert=alert, notice=notice, episodes=tuple(story.situation.episodes[alert.alert].values()),
        carried=Carried(record=record, strip="<svg xmlns='http://www.w3.org/2000/svg'/>"),
    )  # fmt: skip
    return compose(material, START)


@pytest.mark.parametrize(
    ("role", "has", "has_not"),
    [
        (Role.DOCTOR, ["王秀英", "penicillin", "rate_bpm"], ["4711", "Sample Street"]),
        (Role.PATIENT, [], ["王秀英", "penicillin", "rate_bpm", "4711", "Sample Street", "state"]),
        (Role.DISPATCH, ["王秀英", "penicillin", "4711", "Sample Street"], []),
    ],
)
def test_a_letter_holds_what_its_reader_may_see_and_no_more(
    office: Office, server: int, tmp_path: Path, role: Role, has: list[str], has_not: list[str]
) -> None:
    message = _message(tier="emergency")
    given = {name: getattr(message, name) for name in Message.__slots__} | {"body": _composed(role)}
    assert isinstance(_to(server, tmp_path).deliver(Message(**given)), Delivered)
    letter = office.letter()
    for kind in ("plain", "html"):
        part = letter.get_body((kind,))
        assert part is not None
        for word in has:
            assert word in part.get_content()
        for word in has_not:
            assert word not in part.get_content()
    if role is Role.PATIENT:
        assert letter["subject"] == "[Tierwatch] EMERGENCY alert / 紧急 警报"


def test_what_is_not_known_is_never_said_to_be_none(office: Office, server: int, tmp_path: Path) -> None:
    _to(server, tmp_path).deliver(_message(record={"allergies": "unknown", "implants": [], "blood_group": None}))
    part = office.letter().get_body(("plain",))
    assert part is not None
    lines = part.get_content().splitlines()
    assert "allergies / 过敏: unknown / 不详" in lines
    assert "blood group / 血型: unknown / 不详" in lines
    assert "implants / 植入物: none / 无" in lines


def test_what_somebody_wrote_into_the_record_is_no_markup_and_no_header(
    office: Office, server: int, tmp_path: Path
) -> None:
    nasty = "<script>x</script>\r\nBcc: eve@example.org"
    _to(server, tmp_path).deliver(_message(record={"name": nasty}, condition_name={"en": "a\r\nBcc: eve@example.org"}))
    letter = office.letter()
    page = letter.get_body(("html",))
    assert page is not None
    assert "<script>" not in page.get_content()
    assert letter["bcc"] is None
    assert office.envelopes[0][1] == ["lin@clinic.example"]


@pytest.mark.parametrize(
    ("step", "said", "kind"),
    [
        ("rcpt", "550 5.1.1 no such user lin@clinic.example", Refused),
        ("rcpt", "450 4.7.1 greylisted, come back", Retry),
        ("rcpt", "451 4.3.0 later", Retry),
        ("rcpt", "552 5.2.2 mailbox full", Refused),
        ("data", "554 5.7.1 spam", Refused),
        ("data", "452 4.3.1 no room", Retry),
    ],
)
def test_a_permanent_no_is_refused_and_a_no_for_now_is_tried_again(
    office: Office, server: int, tmp_path: Path, step: str, said: str, kind: type
) -> None:
    setattr(office, step, said)
    outcome = _to(server, tmp_path).deliver(_message())
    assert isinstance(outcome, kind)
    assert isinstance(outcome, Refused | Retry)
    assert said[:3] in outcome.reason
    assert said.split()[1] in outcome.reason
    assert "clinic" not in outcome.reason, "an address must not be kept with the attempt"
    assert office.letters == []


def test_greylisted_first_and_taken_then_under_the_same_id(office: Office, server: int, tmp_path: Path) -> None:
    office.rcpt = "450 4.2.0 greylisted"
    message = _message()
    assert isinstance(_to(server, tmp_path).deliver(message), Retry)
    office.rcpt = "250 OK"
    assert isinstance(_to(server, tmp_path).deliver(message), Delivered)
    assert office.letter()["message-id"] == f"<{message.notice}@tierwatch.example>"


def test_a_server_that_is_down_or_says_nothing_is_tried_again(tmp_path: Path) -> None:
    assert isinstance(_to(_free(), tmp_path).deliver(_message()), Retry)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        outcome = _to(mute.getsockname()[1], tmp_path).deliver(_message())
    assert isinstance(outcome, Retry)


@pytest.mark.parametrize(
    "address", ["", "lin", "lin@", "a@b\r\nRCPT TO:<eve@x>", "lin@clinic.example>", "李@clinic.example"]
)
def test_what_is_no_address_is_refused_before_anything_is_said(
    office: Office, server: int, tmp_path: Path, address: str
) -> None:
    assert isinstance(_to(server, tmp_path).deliver(_message(address=address)), Refused)
    assert office.letters == []


# --- encrypted ----------------------------------------------------------------------------------------------------------


@dataclass
class Certificate:
    """A server's own, and who trusts it."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place = tmp_path / "server.pem"
    place.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(place)
    trusting = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return Certificate(server, trusting)


def _login(server: SMTP, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"house", b"correct horse"), handled=False)


@pytest.mark.parametrize(
    ("password", "kind"), [("correct horse", Delivered), ("wrong", Refused)], ids=["the right password", "a wrong one"]
)
def test_starttls_and_login_from_a_file(
    office: Office, certificate: Certificate, tmp_path: Path, password: str, kind: type
) -> None:
    (tmp_path / "mail.password").write_text(password + "\n")
    more = {"tls_context": certificate.server, "require_starttls": True, "authenticator": _login, "auth_required": True}
    for port in _open(office, **more):
        mail = _to(port, tmp_path, certificate.trusting, host="localhost", security="starttls", user="house")
        outcome = mail.deliver(_message())
    assert isinstance(outcome, kind)
    assert len(office.letters) == (kind is Delivered)
    assert password not in str(outcome)


def test_a_login_without_a_password_file_says_which_file(office: Office, server: int, tmp_path: Path) -> None:
    outcome = _to(server, tmp_path, user="house").deliver(_message())
    assert isinstance(outcome, Refused)
    assert "keys/mail.password" in outcome.reason


def test_a_server_without_starttls_gets_nothing_in_the_clear(office: Office, server: int, tmp_path: Path) -> None:
    outcome: Outcome = _to(server, tmp_path, security="starttls").deliver(_message())
    assert isinstance(outcome, Refused)
    assert "in the clear" in outcome.reason
    assert office.letters == []


def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    office: Office, certificate: Certificate, tmp_path: Path
) -> None:
    for port in _open(office, tls_context=certificate.server):
        outcome = _to(port, tmp_path, host="localhost", security="starttls").deliver(_message())
    assert isinstance(outcome, Retry)
    assert office.letters == []


def test_mail_in_the_clear_is_for_this_machine_only() -> None:
    with pytest.raises(ValueError, match="in the clear"):
        MailSettings(host="mail.example.org", security="none", sender="a@example.org")

"""The webhook against a real server on loopback, verified by the `standardwebhooks` package."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from alerts.delivery.guard import Forbidden, GuardedBackend, is_public
from alerts.delivery.outcome import Delivered, Message, Refused, Retry
from alerts.delivery.signing import ensure_secret, secrets_of, signatures
from alerts.delivery.webhook import Webhook
from alerts.trials import trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.alerts.delivery.conftest import Receiver

BODY = json.dumps({"type": "alert.raised", "data": {"name": "王秀英"}}, ensure_ascii=False).encode()


_OPEN: list[Webhook] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def _to(url: str | None, keys: Path, *, allowed: tuple[str, ...] = ("127.0.0.1",), timeout_s: float = 5.0) -> Webhook:
    made = Webhook({"dispatch": url} if url else {}, keys, allowed_private_hosts=allowed, timeout_s=timeout_s)
    _OPEN.append(made)
    return made


def _channel(receiver: Receiver, keys: Path, timeout_s: float = 5.0) -> Webhook:
    ensure_secret(keys, "dispatch")
    return _to(receiver.url, keys, timeout_s=timeout_s)


def _message(notice: UUID | None = None) -> Message:
    return Message(
        notice=notice or uuid4(), type="alert.raised", person="dispatch", address="dispatch", tier="emergency",
        body=BODY, at=datetime.now(UTC),
    )  # fmt: skip


def test_the_public_package_accepts_our_signature_and_the_id_is_the_notice(receiver: Receiver, keys: Path) -> None:
    message = _message()
    assert isinstance(_channel(receiver, keys).deliver(message), Delivered)
    ((headers, body),) = receiver.got
    assert Verifier(ensure_secret(keys, "dispatch")).verify(body, headers) == json.loads(BODY)
    assert headers["webhook-id"] == str(message.notice)
    assert headers["content-type"] == "application/json"


def test_tampering_replay_and_another_secret_are_rejected(receiver: Receiver, keys: Path) -> None:
    _channel(receiver, keys).deliver(_message())
    ((headers, body),) = receiver.got
    verifier = Verifier(ensure_secret(keys, "dispatch"))
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body.replace(b"raised", b"Raised"), headers)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body, headers | {"webhook-id": str(uuid4())})
    with pytest.raises(WebhookVerificationError):
        Verifier(ensure_secret(keys, "other")).verify(body, headers)
    old = int(time.time()) - 3600
    signed = signatures([ensure_secret(keys, "dispatch")], headers["webhook-id"], old, body)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body, headers | {"webhook-timestamp": str(old), "webhook-signature": signed})


def test_during_a_rotation_both_secrets_verify(receiver: Receiver, keys: Path) -> None:
    channel = _channel(receiver, keys)
    old = ensure_secret(keys, "dispatch")
    new = ensure_secret(keys, "new")
    (keys / "webhook-dispatch.secrets").write_text(f"{new}\n{old}\n")
    channel.deliver(_message())
    headers, body = receiver.got[-1]
    assert Verifier(old).verify(body, headers) == Verifier(new).verify(body, headers)
    (keys / "webhook-dispatch.secrets").write_text(f"{new}\n")
    channel.deliver(_message())
    headers, body = receiver.got[-1]
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(body, headers)


def test_down_then_up_keeps_the_id(keys: Path, receiver: Receiver) -> None:
    ensure_secret(keys, "dispatch")
    # The discard port: nobody listens there.
    down = _to("http://127.0.0.1:9/", keys, timeout_s=1)
    message = _message()
    assert isinstance(down.deliver(message), Retry)
    assert isinstance(_channel(receiver, keys).deliver(message), Delivered)
    assert receiver.got[0][0]["webhook-id"] == str(message.notice)


def test_a_redirect_is_not_followed(receiver: Receiver, keys: Path) -> None:
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    outcome = _channel(receiver, keys).deliver(_message())
    assert isinstance(outcome, Refused)
    assert "redirect" in outcome.reason
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Delivered),
        (202, Delivered),
        (500, Retry),
        (503, Retry),
        (429, Retry),
        (408, Retry),
        (400, Refused),
        (410, Refused),
    ],
)
def test_answers(receiver: Receiver, keys: Path, status: int, kind: type) -> None:
    receiver.status = status
    receiver.headers = {"retry-after": "7"} if status == 429 else {}
    outcome = _channel(receiver, keys).deliver(_message())
    assert isinstance(outcome, kind)
    if status == 429:
        assert isinstance(outcome, Retry)
        assert outcome.after_s == 7


def test_a_receiver_that_does_not_answer_is_tried_again(receiver: Receiver, keys: Path) -> None:
    receiver.pause_s = 30
    assert isinstance(_channel(receiver, keys, timeout_s=0.3).deliver(_message()), Retry)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_private_address_is_refused_unless_allowed_by_name(receiver: Receiver, keys: Path, host: str) -> None:
    ensure_secret(keys, "dispatch")
    url = f"http://{host}:{receiver.port}/"
    closed = _to(url, keys, allowed=())
    outcome = closed.deliver(_message())
    assert isinstance(outcome, Refused)
    assert "allowed_private_hosts" in outcome.reason
    other = _to(url, keys, allowed=("intranet.example",))
    assert isinstance(other.deliver(_message()), Refused)
    assert receiver.got == []
    assert isinstance(_to(url, keys, allowed=(host,)).deliver(_message()), Delivered)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),  # a provider's inside
        ("169.254.169.254", False),  # where clouds keep credentials
        ("0.0.0.0", False),
        ("127.8.8.8", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),  # hidden in IPv6
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),  # a net's own translation
        ("::127.0.0.1", False),  # the oldest disguise
        ("::10.0.0.1", False),
        ("2001:0:7f00:1::", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "word"),
    [(None, "no endpoint"), ("ftp://example.org", "no http(s) address"), ("http://", "no http(s) address")],
)
def test_a_wrong_endpoint_is_refused_with_the_reason(keys: Path, url: str | None, word: str) -> None:
    ensure_secret(keys, "dispatch")
    outcome = _to(url, keys).deliver(_message())
    assert isinstance(outcome, Refused)
    assert word in outcome.reason


def test_without_a_secret_nothing_goes_out_unsigned(receiver: Receiver, keys: Path) -> None:
    outcome = _to(receiver.url, keys).deliver(_message())
    assert isinstance(outcome, Refused)
    assert receiver.got == []
    assert secrets_of(keys, "dispatch") == []


def test_no_address_key_or_body_gets_into_the_log(
    receiver: Receiver, keys: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    channel = _channel(receiver, keys)
    channel.deliver(_message())
    receiver.status = 500
    channel.deliver(_message())
    said = "".join(capfd.readouterr())
    assert "Delivered" in said
    for secret in ("never-in-a-log", "127.0.0.1", ensure_secret(keys, "dispatch"), "王秀英"):
        assert secret not in said


def test_a_trial_is_signed_and_says_that_it_is_one(receiver: Receiver, keys: Path) -> None:
    assert isinstance(trial(_channel(receiver, keys), "dispatch"), Delivered)
    ((headers, body),) = receiver.got
    assert Verifier(ensure_secret(keys, "dispatch")).verify(body, headers)["type"] == "alert.test"


# --- What a name resolves to; the resolver is handed in, as no name of ours has such answers --------------------------


@dataclass
class Resolver:
    """Answers in order, and keeps what it was asked."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(0, 0, 0, "", (address, port)) for address in found]


@pytest.mark.parametrize(
    "addresses",
    [
        ["93.184.215.14", "127.0.0.1"],  # one inward among public ones, in either order
        ["127.0.0.1", "93.184.215.14"],
        ["93.184.215.14", "::ffff:127.0.0.1"],
        ["2606:2800:21f:cb07::1", "fd00::1"],
        ["169.254.169.254"],
    ],
)
def test_a_name_with_one_inward_address_is_refused_before_anything_is_connected(
    receiver: Receiver, addresses: list[str]
) -> None:
    with pytest.raises(Forbidden):
        GuardedBackend([], Resolver([addresses])).connect_tcp("rebinding.example", receiver.port, timeout=1.0)
    assert receiver.got == []


def test_the_address_that_was_judged_is_the_one_connected_to(receiver: Receiver) -> None:
    """A name that answers otherwise the second time (rebinding) is asked once only."""
    resolver = Resolver([["127.0.0.1"], ["127.0.0.2"]])
    stream = GuardedBackend(["inside.example"], resolver).connect_tcp("inside.example", receiver.port, timeout=1.0)
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
    stream.close()
    assert resolver.asked == ["inside.example"]


def test_a_name_that_does_not_resolve_is_tried_again(keys: Path) -> None:
    ensure_secret(keys, "dispatch")
    outcome = _to("http://no-such-host.invalid/", keys, timeout_s=2.0).deliver(_message())
    assert isinstance(outcome, Retry)

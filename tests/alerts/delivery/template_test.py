# ruff: noqa: RUF001 - Chinese has its own punctuation
"""Webhooks in another's words: what is filled in stays what it is, and a slip of the pen shows at the start."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook as Verifier

from alerts.delivery.channels import channels
from alerts.delivery.outcome import Delivered, Message, Outcome, Refused, Retry
from alerts.delivery.posting import Poster
from alerts.delivery.settings import DeliverySettings
from alerts.delivery.signing import ensure_secret
from alerts.delivery.template import PLACEHOLDERS, Template, words_of
from alerts.delivery.webhook import Templated
from alerts.settings import AlertsSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.alerts.delivery.conftest import Receiver

SMS = "to={address}&text={sentence_zh}&ref={notice}"
ROBOT = '{"msgtype": "text", "text": {"content": "{sentence} {sentence_zh}"}, "at": {"atMobiles": ["{address}"]}}'
VOICE = "<Response><Say>{sentence}</Say></Response>"
PATIENT = "王秀英"


def _message(notice: UUID | None = None, why: str = "", type_: str = "alert.raised") -> Message:
    data: dict[str, Any] = {
        "alert_id": "5f0c6c8e-8d0f-5a0e-9b8e-2f6f0c0f7a11", "patient": "ada-1", "condition": "vf", "why": why,
        "reason": {"en": 'EMERGENCY: "ventricular" fibrillation & more.', "zh": "紧急：心室颤动。"},
        "record": {"name": PATIENT, "door_code": "4711"},
    }  # fmt: skip
    return Message(
        notice=notice or uuid4(), type=type_, person="lin", address="+86 139 0000", tier="emergency",
        body=json.dumps({"type": type_, "data": data}).encode(), at=datetime(2026, 11, 24, 8, tzinfo=UTC),
    )  # fmt: skip


def _sent(receiver: Receiver, keys: Path, message: Message | None = None, **template: Any) -> Outcome:
    given = {"url": f"http://127.0.0.1:{receiver.port}/send"} | template
    poster = Poster(["127.0.0.1"], 5.0)
    try:
        return Templated("sms", Template(**given), keys, poster).deliver(message or _message())
    finally:
        poster.close()


def test_an_sms_gateway_gets_a_form_that_says_what_was_meant(receiver: Receiver, keys: Path) -> None:
    message = _message()
    form = {"body": SMS, "content_type": "application/x-www-form-urlencoded"}
    assert isinstance(_sent(receiver, keys, message, **form), Delivered)
    ((headers, body),) = receiver.got
    assert parse_qs(body.decode()) == {
        "to": ["+86 139 0000"], "text": ["紧急：心室颤动。"], "ref": [str(message.notice)],
    }  # fmt: skip
    assert headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert headers["webhook-id"] == str(message.notice)


def test_a_robot_gets_json_and_a_voice_gateway_xml(receiver: Receiver, keys: Path) -> None:
    assert isinstance(_sent(receiver, keys, body=ROBOT), Delivered)
    told = json.loads(receiver.got[0][1])
    assert told["text"]["content"] == 'EMERGENCY: "ventricular" fibrillation & more. 紧急：心室颤动。'
    assert told["at"]["atMobiles"] == ["+86 139 0000"]
    assert isinstance(_sent(receiver, keys, body=VOICE, content_type="application/xml"), Delivered)
    assert ET.fromstring(receiver.got[1][1])[0].text == 'EMERGENCY: "ventricular" fibrillation & more.'


def test_nothing_of_the_record_can_be_asked_for_and_none_of_it_goes_out(receiver: Receiver, keys: Path) -> None:
    every = " ".join(f"{{{name}}}" for name in PLACEHOLDERS if name != "key")
    _sent(receiver, keys, body=every, content_type="text/plain")
    said = receiver.got[0][1].decode()
    for secret in (PATIENT, "4711"):
        assert secret not in said
    with pytest.raises(ValidationError, match=r"no placeholder \{name\}"):
        Template(url="https://sms.example", body="{name}", content_type="text/plain")


ANY = st.text(min_size=1, max_size=20)


@given(word=ANY)
def test_whatever_stands_in_a_word_it_stays_one_value(word: str) -> None:
    words = dict.fromkeys(PLACEHOLDERS, word)
    as_json = Template(url="https://x.example", body='{"a": "{why}", "b": "{tier}"}')
    assert json.loads(as_json.filled_body(words)) == {"a": word, "b": word}
    form = Template(url="https://x.example", body="a={why}&b={tier}", content_type="application/x-www-form-urlencoded")
    if word.encode(errors="ignore").decode() == word:
        assert parse_qs(form.filled_body(words), keep_blank_values=True) == {"a": [word], "b": [word]}
    xml = Template(url="https://x.example", body="<a>{why}</a>", content_type="application/xml")
    assert xml.filled_body(words).count("<") == 2
    plain = Template(url="https://x.example", body="a {why}", content_type="text/plain")
    assert len(plain.filled_body(words).splitlines()) == 1


def test_braces_in_a_word_are_not_filled_in_again() -> None:
    words = dict.fromkeys(PLACEHOLDERS, "") | {"why": "{key}", "key": "the gateway's secret"}
    assert Template(url="https://x.example", body="{why}", content_type="text/plain").filled_body(words) == "{key}"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ({"body": "{sentense}"}, "no placeholder {sentense}"),
        ({"body": '{"a": {tier}}'}, "no JSON"),
        ({"body": '{"a": "{tier}"'}, "no JSON"),
        ({"body": "x", "content_type": "text/plain", "url": "https://x.example/{token}"}, "no placeholder {token}"),
        ({"body": "x", "content_type": "text/plain", "authorization": "Bearer {secret}"}, "no placeholder {secret}"),
        ({"body": "x", "content_type": "text/plain", "url": "ftp://x.example"}, "http"),
        ({"body": "x", "content_type": "text/html"}, "content_type"),
        ({"body": "x", "content_type": "text/plain", "accepted_if": "errcode"}, "accepted_if"),
        ({"body": ""}, "body"),
    ],
)
def test_a_slip_of_the_pen_is_refused_at_the_start_and_named(template: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DeliverySettings.model_validate({"templates": {"sms": {"url": "https://x.example"} | template}})
    assert why in str(refused.value)


def test_a_template_cannot_take_the_name_of_a_channel() -> None:
    with pytest.raises(ValidationError, match="webhook"):
        DeliverySettings.model_validate(
            {"templates": {"webhook": {"url": "https://x.example", "body": "x", "content_type": "text/plain"}}}
        )


def test_a_key_comes_from_a_file_and_without_it_nothing_goes_out(receiver: Receiver, keys: Path) -> None:
    asked = {
        "url": f"http://127.0.0.1:{receiver.port}/send?access_token={{key}}", "authorization": "Bearer {key}",
        "body": ROBOT,
    }  # fmt: skip
    outcome = _sent(receiver, keys, **asked)
    assert isinstance(outcome, Refused)
    assert "template-sms.key" in outcome.reason
    assert receiver.got == []
    keys.mkdir()
    (keys / "template-sms.key").write_text("a b&c\n")
    assert isinstance(_sent(receiver, keys, **asked), Delivered)
    assert receiver.paths == ["/send?access_token=a%20b%26c"]
    assert receiver.got[0][0]["authorization"] == "Bearer a b&c"


def test_it_is_signed_where_the_receiver_was_given_a_secret(receiver: Receiver, keys: Path) -> None:
    _sent(receiver, keys, body=ROBOT)
    assert "webhook-signature" not in receiver.got[0][0]
    secret = ensure_secret(keys, "sms")
    _sent(receiver, keys, body=ROBOT)
    headers, body = receiver.got[1]
    assert Verifier(secret).verify(body, headers) == json.loads(body)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"errcode": 0, "errmsg": "ok"}', Delivered),
        (b'{"errcode": 310000, "errmsg": "keywords not in content"}', Retry),
        (b'{"errcode": "130101"}', Retry),
        (b"[]", Retry),
        (b"<html>", Retry),
        (b"", Retry),
    ],
)
def test_a_200_with_an_error_inside_is_not_delivered(receiver: Receiver, keys: Path, answer: bytes, kind: type) -> None:
    receiver.answer = answer
    assert isinstance(_sent(receiver, keys, body=ROBOT, accepted_if="errcode=0"), kind)


@pytest.mark.parametrize(
    ("status", "kind"), [(200, Delivered), (307, Refused), (400, Refused), (429, Retry), (500, Retry)]
)
def test_answers_are_judged_as_those_of_any_webhook(receiver: Receiver, keys: Path, status: int, kind: type) -> None:
    receiver.status = status
    receiver.answer = b'{"errcode": 0}'
    assert isinstance(_sent(receiver, keys, body=ROBOT, accepted_if="errcode=0"), kind)


def test_a_trial_says_what_it_is(receiver: Receiver, keys: Path) -> None:
    trial = Message(
        notice=uuid4(), type="alert.test", person="test", address="+1", tier="tip", body=b'{"type":"alert.test"}',
        at=datetime(2026, 11, 24, 8, tzinfo=UTC),
    )  # fmt: skip
    assert words_of(trial, "")["sentence"] == "Tierwatch: test"
    assert isinstance(_sent(receiver, keys, trial, body=ROBOT), Delivered)


def test_each_template_is_a_channel_of_its_name_and_mail_is_one_where_there_is_a_server(keys: Path) -> None:
    bare = channels(AlertsSettings(), keys, "")
    assert set(bare) == {"webhook", "log", "console"}
    given = {
        "mail": {"host": "mail.example.org", "sender": "a@example.org"},
        "templates": {"sms": {"url": "https://x.example", "body": ROBOT}},
    }
    made = channels(AlertsSettings(delivery=DeliverySettings.model_validate(given)), keys, "")
    assert set(made) == {"webhook", "log", "console", "email", "sms"}

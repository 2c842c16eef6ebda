"""What `tierwatch check` says of mail and templates, before somebody's life hangs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from alerts.delivery.fitness import of_delivery
from alerts.delivery.settings import DeliverySettings
from alerts.settings import AlertsSettings
from stream.servers.checkup import Grade
from stream.settings_file import BadSettings, read_tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.alerts.delivery.conftest import Receiver


def _grades(keys: Path, delivery: dict[str, Any]) -> dict[str, tuple[Grade, str]]:
    found = of_delivery(AlertsSettings(delivery=DeliverySettings.model_validate(delivery)), keys)
    return {one.name: (one.grade, one.text) for one in found}


def test_a_mail_server_that_answers_is_fit_and_one_that_does_not_is_bad(keys: Path, free_tcp_port: int) -> None:
    class Deaf:
        """Takes nothing: a check sends nothing."""

        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 - aiosmtpd's name
            raise AssertionError("a check sent a letter")

    mail = {"host": "127.0.0.1", "port": free_tcp_port, "security": "none", "sender": "a@example.org"}
    assert _grades(keys, {"mail": mail})["mail"][0] is Grade.BAD
    server = Controller(Deaf(), hostname="127.0.0.1", port=free_tcp_port)
    server.start()
    try:
        assert _grades(keys, {"mail": mail})["mail"][0] is Grade.OK
        grade, text = _grades(keys, {"mail": mail | {"user": "house"}})["mail"]
        assert (grade, "mail.password" in text) == (Grade.BAD, True)
    finally:
        server.stop()


def test_a_template_without_its_key_is_bad(keys: Path, receiver: Receiver) -> None:
    template = {
        "url": f"http://127.0.0.1:{receiver.port}/?token={{key}}",
        "body": "{why}",
        "content_type": "text/plain",
    }
    grade, text = _grades(keys, {"templates": {"sms": template}})["template sms"]
    assert (grade, "keys/template-sms.key" in text) == (Grade.BAD, True)
    keys.mkdir()
    (keys / "template-sms.key").write_text("k")
    assert _grades(keys, {"templates": {"sms": template}})["template sms"][0] is Grade.OK
    assert receiver.got == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("templates.sms = { url = 'https://x.example', body = '{sentense}' }", "no placeholder {sentense}"),
        ("templates.log = { url = 'https://x.example', body = '{}' }", "there is such a channel"),
        ("mail = { host = 'mail.example.org', sender = 'a@example.org', security = 'none' }", "in the clear"),
        ("mail = { host = 'mail.example.org' }", "sender"),
        ("mial = 1", "mial"),
    ],
)
def test_a_slip_in_the_settings_file_stops_the_start_and_is_named(tmp_path: Path, line: str, word: str) -> None:
    file = tmp_path / "tierwatch.toml"
    file.write_text(f"[alerts.delivery]\n{line}\n")
    with pytest.raises(BadSettings) as refused:
        read_tables(file, ["alerts"])
    assert word in str(refused.value)

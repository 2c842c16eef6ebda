"""The embedded broker, for real: who may say and hear what, and what it complains of."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import stat
import time
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import ClientId
from gateway.topics import BadTopic, all_up, down_hello, down_receipt, up_events
from stream.servers import nats
from stream.servers.mqtt_clients import (
    INTAKE,
    add_client,
    add_clients,
    client_ids,
    clients_file,
    password_of,
    revoke_client,
)
from stream.servers.nats import Complaint, ComplaintKind, ComplaintReader, complaint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.servers.data_folder import DataFolder
    from tests.stream.servers.conftest import Run

    Start = Callable[..., Run]

PATIENCE_S = 10.0


class Client:
    """An MQTT client whose events can be waited for."""

    def __init__(self, port: int, user: str, password: str, client_id: str | None = None) -> None:
        self.events: queue.Queue[tuple[str, str]] = queue.Queue()
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or user, clean_session=True)
        self.paho.username_pw_set(user, password)
        self.paho.on_connect = lambda _c, _u, _f, reason, _p: self.events.put(("connected", str(reason)))
        self.paho.on_disconnect = lambda *_: self.events.put(("disconnected", ""))
        self.paho.on_subscribe = lambda _c, _u, _m, reasons, _p: self.events.put(
            ("subscribed", "refused" if reasons[0].is_failure else "granted")
        )
        self.paho.on_message = lambda _c, _u, message: self.events.put((message.topic, message.payload.decode()))
        self.paho.on_publish = lambda _c, _u, number, *_: self.events.put(("published", str(number)))
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()

    def until(self, kind: str) -> str:
        """The next event of this kind."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                found, value = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no {kind}")
            if found == kind:
                return value

    def hear(self, topic: str) -> str:
        """Subscribe; `granted` or `refused`."""
        self.paho.subscribe(topic, 1)
        return self.until("subscribed")

    def say(self, topic: str, words: str) -> None:
        """Publish at QoS 1 and wait for the acknowledgement, which proves nothing."""
        self.paho.publish(topic, words, 1)
        self.until("published")

    def close(self) -> None:
        """End the connection and the thread."""
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def broker(folder: DataFolder, supervised: Start, free_port: int) -> Iterator[tuple[Run, Callable[..., Client]]]:
    """A running broker, and a way to connect to it."""
    run = supervised("nats", "--mqtt-port", str(free_port))
    run.until("ALL READY")
    clients: list[Client] = []

    def connect(user: str, password: str | None = None, client_id: str | None = None) -> Client:
        clients.append(Client(free_port, user, password or password_of(folder.root, user), client_id))
        return clients[-1]

    yield run, connect
    for client in clients:
        client.close()
    run.end()


def complaints(reader: ComplaintReader) -> list[Complaint]:
    """The next complaints, waiting for the broker to write them."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := reader.read()):
        assert time.monotonic() < deadline, "no complaint"
        time.sleep(0.02)
    return found


def test_each_client_has_its_own_branch_and_intake_hears_all(
    folder: DataFolder, broker: tuple[Run, Callable[..., Client]]
) -> None:
    _, connect = broker
    add_clients(folder.root, ["gw1", "gw2"])
    intake, one, two = connect(INTAKE), connect("gw1"), connect("gw2")
    for client in (intake, one, two):
        assert client.until("connected") == "Success"
    for topic in all_up(0):
        assert intake.hear(topic) == "granted"
    for client, name in ((one, "gw1"), (two, "gw2")):
        assert client.hear(f"tw/1/0/{name}/down/#") == "granted"
        assert client.hear("tw/1/0/all/down/#") == "granted"
    one.say(up_events(0, ClientId("gw1")), "from one")
    assert intake.until("tw/1/0/gw1/up/events") == "from one"
    intake.say(down_receipt(0, ClientId("gw2")), "for two")
    assert two.until("tw/1/0/gw2/down/receipt") == "for two"
    intake.say(down_hello(0), "for all")
    assert one.until("tw/1/0/all/down/hello") == "for all"
    assert two.until("tw/1/0/all/down/hello") == "for all"


@pytest.mark.parametrize(
    "topic", ["tw/1/0/gw2/down/#", "tw/1/0/+/down/#", "tw/1/0/gw1/up/#", "tw/1/0/all/up/#", "tw/#", "#", "$SYS/#"]
)
def test_no_client_hears_anything_else(
    folder: DataFolder, broker: tuple[Run, Callable[..., Client]], topic: str
) -> None:
    _, connect = broker
    add_client(folder.root, "gw1")
    client = connect("gw1")
    assert client.until("connected") == "Success"
    assert client.hear(topic) == "refused"


def test_a_word_out_of_place_is_acknowledged_dropped_and_complained_of(
    folder: DataFolder, broker: tuple[Run, Callable[..., Client]]
) -> None:
    _, connect = broker
    add_clients(folder.root, ["gw1", "gw2"])
    intake, one = connect(INTAKE), connect("gw1")
    assert intake.until("connected") == "Success"
    assert intake.hear("tw/1/0/+/up/#") == "granted"
    assert one.until("connected") == "Success"
    reader = ComplaintReader(folder.root)
    one.say("tw/1/0/gw2/up/events", "as if from two")
    found = complaints(reader)
    assert [(one.kind, one.client) for one in found] == [(ComplaintKind.DENIED, "gw1")]
    one.say("tw/1/0/gw1/up/events", "from one")
    assert intake.events.get(timeout=PATIENCE_S) == ("tw/1/0/gw1/up/events", "from one")


def test_a_message_that_is_too_large_is_complained_of(
    folder: DataFolder, broker: tuple[Run, Callable[..., Client]]
) -> None:
    _, connect = broker
    add_client(folder.root, "gw1")
    client = connect("gw1")
    assert client.until("connected") == "Success"
    reader = ComplaintReader(folder.root)
    client.paho.publish("tw/1/0/gw1/up/events", b"x" * (nats.LARGEST_MESSAGE + 1), 0)
    client.until("disconnected")
    assert (complaints(reader)[0].kind, client.paho.is_connected()) == (ComplaintKind.TOO_LARGE, False)


def test_a_revoked_clients_session_is_cut_at_once(
    folder: DataFolder, broker: tuple[Run, Callable[..., Client]]
) -> None:
    _, connect = broker
    password = add_client(folder.root, "gw1")
    add_client(folder.root, "gw2")
    one, two = connect("gw1"), connect("gw2")
    assert one.until("connected") == "Success"
    assert two.until("connected") == "Success"
    assert revoke_client(folder.root, "gw1")
    one.until("disconnected")
    assert two.hear("tw/1/0/gw2/down/#") == "granted"  # whoever stays is not disturbed
    assert connect("gw1", password).until("connected") == "Not authorized"
    assert not revoke_client(folder.root, "gw1")
    assert client_ids(folder.root) == ["gw2", INTAKE]


def test_a_client_let_in_can_connect_when_the_function_returns(
    folder: DataFolder, broker: tuple[Run, Callable[..., Client]]
) -> None:
    _, connect = broker
    password = add_client(folder.root, "gw9")
    assert connect("gw9").until("connected") == "Success"
    assert add_client(folder.root, "gw9") == password


def test_the_broker_comes_back_without_its_store(folder: DataFolder, broker: tuple[Run, Callable[..., Client]]) -> None:
    run, connect = broker
    add_client(folder.root, "gw1")
    first = nats.process_of(folder)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    shutil.rmtree(folder.nats / "store")
    run.until("nats", "starting it again")
    run.until("nats  ready  ")
    assert nats.process_of(folder) != first
    assert nats.healthy(folder)
    client = connect("gw1")
    assert client.until("connected") == "Success"


def test_secrets_are_closed_to_others(folder: DataFolder) -> None:
    password = add_client(folder.root, "gw1")  # nobody runs: it is in force at the next start
    assert password in (folder.keys / "users.conf").read_text()
    for path in [folder.keys / "users.conf", *(folder.keys / "mqtt").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder.keys / "mqtt").stat().st_mode) == 0o700
    assert password not in nats.settings(folder, 1883)


@pytest.mark.parametrize("client", ["", "a.b", "a b", "a/b", "+", "#", "*", ">", "all", "x" * 65, "ä", "../up", '"'])
def test_ids_that_would_be_topics_of_somebody_else(folder: DataFolder, client: str) -> None:
    with pytest.raises(BadTopic):
        add_client(folder.root, client)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9_:-]{1,64}", fullmatch=True), st.just("secret"), max_size=5))
def test_no_subject_in_the_file_is_of_two_clients(passwords: dict[str, str]) -> None:
    passwords.pop(INTAKE, None)
    text = clients_file(passwords, 0)
    for client in passwords:
        assert text.count(f'"tw.1.0.{client}.up.>"') == 1
        assert text.count(f'user: "{client}"') == 1
    assert "tw.1.0.*" not in text


@pytest.mark.parametrize(
    ("line", "kind", "client"),
    [
        (
            '[1] [ERR] 127.0.0.1:59239 - mid:26 - "gw1" - Publish Violation - Subject "tw.1.0.gw2.up.events"',
            ComplaintKind.DENIED,
            "gw1",
        ),
        (
            '[1] [ERR] 127.0.0.1:59239 - mid:26 - "gw1" - maximum payload exceeded: 9000027 vs 8388608',
            ComplaintKind.TOO_LARGE,
            "gw1",
        ),
        (
            '[1] [ERR] 127.0.0.1:59239 - mid:37 - "gw1x" - authentication error - User "gw1"',
            ComplaintKind.REFUSED,
            "gw1",
        ),
        ("[1] 2026/11/24 11:27:28.171635 [ERR] write error: no space left on device", ComplaintKind.STORE, None),
    ],
)
def test_lines_that_complain(line: str, kind: ComplaintKind, client: str | None) -> None:
    assert complaint_of(line) == Complaint(kind=kind, client=client, line=line)


@pytest.mark.parametrize(
    "line",
    [
        "[1] 2026/11/24 11:27:25.412398 [INF] Server is ready",
        "[1] 2026/11/24 11:27:25.411997 [INF] Took 875.246us to start JetStream",
        "[1] 2026/11/24 11:27:25.409555 [WRN] Plaintext passwords detected, use nkeys or bcrypt",
        # The second line of one refusal: counted once.
        '[1] [ERR] 127.0.0.1:59239 - mid:37 - "gw1" - unable to connect: authentication error',
    ],
)
def test_lines_that_do_not(line: str) -> None:
    assert complaint_of(line) is None


def test_the_reader_goes_on_where_it_stopped_and_follows_a_turned_log(folder: DataFolder) -> None:
    log = nats.log_file(folder)
    denied = '[1] x [ERR] - mid:1 - "gw1" - Publish Violation - Subject "tw.1.0.{}.up"\n'
    log.write_text(denied.format("old"))
    reader = ComplaintReader(folder.root)
    assert reader.read() == []
    with log.open("a") as more:
        more.write(denied.format("a") + denied.format("b")[:-1])
    assert len(reader.read()) == 1  # half a line is not read yet
    with log.open("a") as more:
        more.write("\n")
    assert len(reader.read()) == 1
    log.rename(log.with_suffix(".old"))
    log.write_text(denied.format("new"))
    assert len(reader.read()) == 1
    assert len(ComplaintReader(folder.root, from_start=True).read()) == 1

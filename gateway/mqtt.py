"""MQTT by paho: the only file that imports it, narrow, so that it can be changed alone (ingest alone, too).

Speaks MQTT 5 and falls back to 3.1.1; acknowledges by hand; reconnects for ever with jittered, bounded backoff; looks
at size and topic before it publishes, because a broker closes the connection over either and the message would be sent
again for ever. Callbacks run on the network thread. Nothing here is stored: an unconnected QoS 0 publish is gone.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway import topics

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from paho.mqtt.reasoncodes import ReasonCode

MAX_BYTES = 256 * 1024
KEEPALIVE_S = 20
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
SESSION_KEPT_S = 7 * 24 * 3600
UNDER_WAY = 2000
"""QoS 1 messages that may wait for their PUBACK."""

Protocol = Literal["auto", "5", "3.1.1"]

_log = structlog.get_logger("gateway.mqtt")


class TooLarge(ValueError):
    """A broker closes the connection over such a message, and it would be sent again for ever: split it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that came."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    """Only for `acknowledge`."""
    retain: bool = False
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says when the connection ends without a goodbye."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Mqtt:
    """One connection, kept up. Every message with QoS 1 must be acknowledged by hand, or it comes again."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        client_id: str,
        user: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        clean: bool = False,
        will: Will | None = None,
        on_message: Callable[[Message], None],
        on_connected: Callable[[], None] = lambda: None,
        on_disconnected: Callable[[], None] = lambda: None,
        protocol: Protocol = "auto",
        max_bytes: int = MAX_BYTES,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        """`on_connected` comes after every subscription was granted again; nothing connects before `start`."""
        self._host, self._port, self._client_id = host, port, topics.checked_client(client_id)
        self._user, self._password, self._tls = user, password, tls
        self._clean, self._will, self._keepalive_s = clean, will, keepalive_s
        self._on_message, self._on_connected, self._on_disconnected = on_message, on_connected, on_disconnected
        self._max_bytes = max_bytes
        self._falls_back = protocol == "auto"
        self._version = paho.MQTTv311 if protocol == "3.1.1" else paho.MQTTv5
        self._subscriptions: dict[str, int] = {}
        self._awaited: set[int] = set()
        self._connected = False
        self._stopping = False
        self._guard = threading.Lock()
        self._client = self._make()

    @property
    def connected(self) -> bool:
        """Connected, and every subscription granted."""
        return self._connected

    @property
    def speaks(self) -> str:
        """The protocol in use."""
        return "5" if self._version == paho.MQTTv5 else "3.1.1"

    def start(self) -> None:
        """Connects in the background, now and whenever the connection is lost."""
        self._begin(self._client)

    def stop(self) -> None:
        """Says goodbye (no last will), after what was published before; returns when the thread has ended."""
        with self._guard:
            self._stopping = True
            client = self._client
        client.disconnect()
        client.loop_stop()
        self._lost()

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, retain: bool = False) -> None:
        """Hands a message to the network thread. QoS 0 while not connected is gone: only receipts say what arrived.

        Raises:
            TooLarge: over the limit; size, limit and topic are named.
            BadTopic: a character that a broker would choke on.
        """
        topics.checked(topic)
        if len(payload) > self._max_bytes:
            raise TooLarge(f"{len(payload)} bytes for {topic!r}, limit {self._max_bytes}")
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Now and after each reconnection; wildcards are allowed here."""
        with self._guard:
            self._subscriptions[topic] = qos
            client = self._client
            if not client.is_connected():
                return
        client.subscribe(topic, qos)

    def acknowledge(self, message: Message) -> None:
        """It is safe here: the broker may forget it. An old connection's messages are left to come again."""
        if message.qos:
            self._client.ack(message.mid, message.qos)

    # ------------------------------------------------------------------ paho

    def _make(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if self._version == paho.MQTTv5 else self._clean,
            protocol=self._version,
            manual_ack=True,
        )
        client.on_connect = self._connack
        client.on_disconnect = self._disconnect
        client.on_connect_fail = self._connect_failed
        client.on_message = self._message
        client.on_subscribe = self._suback
        client.max_inflight_messages_set(UNDER_WAY)
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, self._will.qos, self._will.retain)
        return client

    def _begin(self, client: paho.Client) -> None:
        options: dict[str, Any] = {}
        if self._version == paho.MQTTv5:
            kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            kept.SessionExpiryInterval = 0 if self._clean else SESSION_KEPT_S
            options = {"clean_start": self._clean, "properties": kept}
        self._jitter(client)
        client.connect_async(self._host, self._port, self._keepalive_s, **options)
        client.loop_start()

    def _jitter(self, client: paho.Client) -> None:
        # Each connection that ends draws its own first wait; paho doubles it from there. A broker that comes back
        # must not be met by all clients in the same second.
        factor = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        client.reconnect_delay_set(FIRST_WAIT_S * factor, LONGEST_WAIT_S * factor)  # type: ignore[arg-type]

    def _connack(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            if not self._falls_back:
                _log.warning("mqtt_refused", client=self._client_id, reason=str(reason))
            return
        with self._guard:
            self._falls_back = False
            wanted = dict(self._subscriptions)
            self._awaited = set()
            for topic, qos in wanted.items():
                _, mid = client.subscribe(topic, qos)
                if mid is not None:
                    self._awaited.add(mid)
            ready = not self._awaited
        if ready:
            self._ready()

    def _suback(
        self, client: paho.Client, _data: object, mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        if client is not self._client:
            return
        if any(reason.is_failure for reason in reasons):
            _log.error("mqtt_subscription_denied", client=self._client_id, reasons=[str(reason) for reason in reasons])
        with self._guard:
            was_waiting = bool(self._awaited)
            self._awaited.discard(mid)
            ready = was_waiting and not self._awaited
        if ready:
            self._ready()

    def _ready(self) -> None:
        self._connected = True
        self._guarded("on_connected", self._on_connected)

    def _disconnect(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        if client is not self._client:
            return
        if self._falls_back and not self._stopping:
            # The broker hung up before it ever answered in MQTT 5: it speaks 3.1.1, as every broker does.
            self._fall_back()
            return
        self._jitter(client)
        _log.info("mqtt_disconnected", client=self._client_id, reason=str(reason))
        self._lost()

    def _connect_failed(self, client: paho.Client, _data: object) -> None:
        _log.debug("mqtt_unreachable", client=self._client_id, host=self._host, port=self._port)
        del client

    def _lost(self) -> None:
        with self._guard:
            was, self._connected = self._connected, False
            self._awaited = set()
        if was:
            self._guarded("on_disconnected", self._on_disconnected)

    def _fall_back(self) -> None:
        self._falls_back = False
        old = self._client

        def change() -> None:
            # A thread cannot stop itself, so the change is made by another.
            old.disconnect()
            old.loop_stop()
            with self._guard:
                if self._stopping:
                    return
                self._version = paho.MQTTv311
                self._client = self._make()
                new = self._client
            self._begin(new)

        threading.Thread(target=change, name=f"mqtt-3.1.1-{self._client_id}", daemon=True).start()

    def _message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if client is not self._client:
            return
        came = Message(
            topic=message.topic,
            payload=bytes(message.payload),
            qos=message.qos,
            mid=message.mid,
            retain=message.retain,
            duplicate=message.dup,
        )
        self._guarded("on_message", lambda: self._on_message(came))

    def _guarded(self, what: str, call: Callable[[], None]) -> None:
        # An exception would end paho's thread without a word, and the connection with it. The message stays
        # unacknowledged, so it comes again.
        try:
            call()
        except Exception:  # noqa: BLE001 - see above
            _log.exception("mqtt_callback_failed", callback=what, client=self._client_id)

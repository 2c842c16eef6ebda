"""The dozen bytes of MQTT 3.1.1 that a load of many clients needs: written and read without a library's costs.

Only for the load generator and its tests: everything else speaks through `gateway.mqtt`. QoS 0 only; no reconnection.
"""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """Type of an MQTT control packet."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


_MORE = 0x80
"""This bit of a length says that another byte of it follows."""


class ForeignProtocolError(ValueError):
    """The other side does not speak MQTT 3.1.1: the connection is useless."""


def connect(client: str, user: str, password: str) -> bytes:
    """A clean session without keep-alive."""
    has_user, has_password, clean = 0x80, 0x40, 0x02
    head = b"\x00\x04MQTT\x04" + bytes([has_user | has_password | clean]) + b"\x00\x00"
    return _packet(Kind.CONNECT << 4, head + _text(client) + _text(user) + _text(password))


def subscribe(number: int, *topics: str) -> bytes:
    """Subscriptions at QoS 0."""
    body = number.to_bytes(2, "big") + b"".join(_text(topic) + b"\x00" for topic in topics)
    return _packet(Kind.SUBSCRIBE << 4 | 0x02, body)


def publish(topic: bytes, payload: bytes) -> bytes:
    """A message at QoS 0; the topic in UTF-8."""
    return _packet(Kind.PUBLISH << 4, len(topic).to_bytes(2, "big") + topic + payload)


def disconnect() -> bytes:
    """Goodbye."""
    return _packet(Kind.DISCONNECT << 4, b"")


def published(body: bytes) -> tuple[bytes, bytes]:
    """Topic and payload of the body of a QoS 0 PUBLISH."""
    end = 2 + int.from_bytes(body[:2], "big")
    if len(body) < end:
        raise ForeignProtocolError("a message cut off in its topic")
    return body[2:end], body[end:]


class Reader:
    """Bytes of a connection, in any pieces, into packets."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The packets that are whole now, as (kind, body).

        Raises:
            ForeignProtocolError: a length of more than four bytes.
        """
        held = self._held + data
        found: list[tuple[int, bytes]] = []
        at = 0
        while (header := _header(held, at)) is not None:
            start, length = header
            if len(held) < start + length:
                break
            found.append((held[at] >> 4, held[start : start + length]))
            at = start + length
        self._held = held[at:]
        return found


def _header(held: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` starts and how long it is; None while the header is not whole."""
    length = 0
    for place in range(4):
        if at + 1 + place >= len(held):
            return None
        byte = held[at + 1 + place]
        length |= (byte & 0x7F) << (7 * place)
        if not byte & _MORE:
            return at + 2 + place, length
    raise ForeignProtocolError("a packet length of more than four bytes")


def _packet(first: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, low = left >> 7, left & 0x7F
        length.append(low | (_MORE if left else 0))
        if not left:
            return bytes([first]) + bytes(length) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data

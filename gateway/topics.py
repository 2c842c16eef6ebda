"""The topic tree: `tw/1/{shard}/{client}/up|down/...`. A client sees its own branch, and `all` to listen.

Built and read here only, so that a client id that a broker would choke on is refused by name before it is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.reading import ClientId

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "1"
EVERYBODY = ClientId("all")
"""Not a client: the branch that each may read."""

_CLIENT = re.compile(r"[A-Za-z0-9_:-]{1,64}")
_OURS = re.compile(r"tw/1/([0-9]{1,6})/([A-Za-z0-9_:-]{1,64})/(up|down)/([a-z_]{1,32})")
_TOPIC = re.compile(r"[A-Za-z0-9_:/-]+")


class BadTopic(ValueError):
    """A broker closes the connection over such a topic, and the message would be sent again for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic taken apart."""

    shard: int
    client: ClientId
    direction: str
    """`up` or `down`."""
    leaf: str
    """`events`, `json`, `receipt`, `refused`, `hello`, ..."""


def checked_client(client: str) -> ClientId:
    """A client id that every broker takes.

    Raises:
        BadTopic: other characters, too long, or the reserved word `all`.
    """
    if not _CLIENT.fullmatch(client) or client == EVERYBODY:
        raise BadTopic(f"client id {client!r}: 1 to 64 of A-Z a-z 0-9 _ : - are allowed, and not {EVERYBODY!r}")
    return ClientId(client)


def checked(topic: str) -> str:
    """A topic to publish to.

    Raises:
        BadTopic: a blank, a wildcard or another character outside of A-Z a-z 0-9 _ : / -
    """
    if not _TOPIC.fullmatch(topic):
        raise BadTopic(f"topic {topic!r}: only A-Z a-z 0-9 _ : / - are allowed")
    return topic


def up_events(shard: int, client: ClientId) -> str:
    """Where a gateway sends its batches."""
    return _own(shard, client, "up/events")


def up_json(shard: int, client: ClientId) -> str:
    """Where a wearable that speaks MQTT itself sends its JSON."""
    return _own(shard, client, "up/json")


def down_receipt(shard: int, client: ClientId) -> str:
    """Where it is told what is stored."""
    return _own(shard, client, "down/receipt")


def down_refused(shard: int, client: ClientId) -> str:
    """Where it is told what will never be taken."""
    return _own(shard, client, "down/refused")


def down_hello(shard: int) -> str:
    """Where everybody is told that intake started anew."""
    return f"tw/{VERSION}/{shard}/{EVERYBODY}/down/hello"


def up_status(shard: int, client: ClientId) -> str:
    """A client's last will: `offline`."""
    return _own(shard, client, "up/status")


def all_up(shard: int) -> Sequence[str]:
    """What intake subscribes to."""
    return tuple(f"tw/{VERSION}/{shard}/+/up/{leaf}" for leaf in ("events", "json", "status"))


def parse(topic: str) -> Topic:
    """A topic taken apart.

    Raises:
        BadTopic: none of ours; what was expected is named.
    """
    found = _OURS.fullmatch(topic)
    if found:
        shard, client, direction, leaf = found.groups()
        return Topic(shard=int(shard), client=ClientId(client), direction=direction, leaf=leaf)
    raise BadTopic(f"topic {topic!r}: expected tw/{VERSION}/SHARD/CLIENT/up|down/LEAF")


def _own(shard: int, client: ClientId, tail: str) -> str:
    return f"tw/{VERSION}/{shard}/{checked_client(client)}/{tail}"

"""Topics and parcels: built and read the same way, in order, and never over the limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import topics, wire
from gateway.lane import LaneName
from gateway.parcel import greeting, pack
from gateway.reading import ClientId, Deferred, DeviceId, Epoch, StreamName
from tests.gateway.made import START, ecg, pressure

GW = ClientId("gw-1")
EPOCH = Epoch("e1")


def test_topics_round_trip() -> None:
    for topic, direction, leaf in (
        (topics.up_events(3, GW), "up", "events"),
        (topics.up_json(3, GW), "up", "json"),
        (topics.down_receipt(3, GW), "down", "receipt"),
        (topics.down_refused(3, GW), "down", "refused"),
    ):
        assert topics.parse(topic) == topics.Topic(shard=3, client=GW, direction=direction, leaf=leaf)
    assert topics.parse(topics.down_hello(0)).client == topics.EVERYBODY


@given(st.text(max_size=40) | st.from_regex(r"tw/1/\d/[a-z ./+#]{1,9}/(up|down)/\w+", fullmatch=True))
def test_a_topic_is_ours_or_named_as_bad(topic: str) -> None:
    try:
        found = topics.parse(topic)
    except topics.BadTopic as error:
        assert repr(topic) in str(error)  # noqa: PT017 - ours or not is both right
    else:
        assert topics.checked(topic) == topic
        assert found.direction in {"up", "down"}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4000)), max_size=60), st.integers(3000, 40_000))
def test_parcels_hold_everything_in_order_and_none_is_too_large(kinds: list[tuple[bool, int]], limit: int) -> None:
    events = [
        replace(ecg(n, samples=size) if is_ecg else pressure(n), seq=n + 1) for n, (is_ecg, size) in enumerate(kinds)
    ]
    parcels = pack(GW, EPOCH, START, events, limit=limit)
    unpacked = [event for parcel in parcels for event in wire.decode_batch(parcel.payload)[0].events]
    assert unpacked == events
    for parcel in parcels:
        assert len(parcel.payload) <= max(limit, 8000 + 600)
        assert [seq for _, seq in parcel.numbered] == [e.seq for e in wire.decode_batch(parcel.payload)[0].events]  # type: ignore[union-attr]


def test_events_of_a_refused_message_go_alone() -> None:
    events = [replace(ecg(n), seq=n + 1) for n in range(4)]
    told = Deferred(device=DeviceId("H10-1"), stream=StreamName("ecg/I"), first=1, last=2)
    lane = LaneName(DeviceId("H10-1"), StreamName("ecg/I"))
    parcels = pack(GW, EPOCH, START, [told, *events], alone=lambda name, seq: (name, seq) == (lane, 2))
    assert [[seq for _, seq in parcel.numbered] for parcel in parcels] == [[1], [2], [3, 4]]


def test_a_greeting_says_how_full_the_outbox_is_and_an_older_server_reads_it_all_the_same() -> None:
    batch, unread = wire.decode_batch(greeting(GW, EPOCH, START, 63))
    assert (batch.outbox_percent, unread) == (63, [])
    assert b"outbox" not in greeting(GW, EPOCH, START)


def test_a_greeting_reads_as_a_batch_without_events() -> None:
    batch, unread = wire.decode_batch(greeting(GW, EPOCH, START))
    assert (batch.client, batch.events, unread) == (GW, (), [])
    with pytest.raises(topics.BadTopic):
        topics.up_events(0, ClientId("a b"))

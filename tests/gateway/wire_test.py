"""Words on the wire: every word survives the way, an old message still reads, a newer one is kept whole and named."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import (
    Abandoned,
    AbandonReason,
    AtSource,
    ClientId,
    Deferred,
    DeviceStatus,
    EcgChunk,
    Epoch,
    EventBatch,
    Flag,
    Hello,
    LaneReceipt,
    LinkState,
    Reading,
    ReadingKind,
    Receipt,
    Refused,
)
from gateway.wire import DOWN, EVENTS, MalformedMessage, decode_batch, decode_down, decode_event, encode, encode_batch

GOLDEN = Path(__file__).parents[1] / "golden" / "wire_v1.txt"
instants = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone is given
texts = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1)
values = st.floats(allow_nan=False)
ranges = st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple)

EVENT = st.one_of(
    st.builds(
        EcgChunk, device=texts, stream=texts, seq=numbers, session=texts, index=numbers, at=instants, rate_hz=values, lead=texts,
        samples=st.binary(max_size=64), clipped=numbers, contact=st.booleans(), received_at=st.none() | instants,
        at_source=st.sampled_from(AtSource),
    ),
    st.builds(
        Reading, device=texts, stream=texts, seq=numbers, kind=st.sampled_from(ReadingKind), at=instants,
        values=st.lists(st.none() | values, max_size=4).map(tuple), slot=st.none() | numbers, device_time=st.none() | texts,
        connection=st.none() | texts, flags=st.lists(st.sampled_from(Flag), max_size=3).map(tuple),
        received_at=st.none() | instants, at_source=st.sampled_from(AtSource),
    ),
    st.builds(
        DeviceStatus, device=texts, stream=texts, seq=numbers, at=instants, battery_percent=st.none() | numbers,
        contact=st.none() | st.booleans(), link=st.none() | st.sampled_from(LinkState), firmware=st.none() | texts,
        clock_offset_s=st.none() | values, note=st.none() | texts, received_at=st.none() | instants,
    ),
    st.builds(Abandoned, device=texts, stream=texts, first=numbers, last=numbers, reason=st.sampled_from(AbandonReason)),
    st.builds(Deferred, device=texts, stream=texts, first=numbers, last=numbers),
)  # fmt: skip
LANES = st.lists(st.builds(LaneReceipt, device=texts, stream=texts, stored=ranges), max_size=2).map(tuple)
TOLD = st.one_of(
    st.builds(Receipt, epoch=texts, lanes=LANES, server_time=instants),
    st.builds(Refused, reason=texts, digest=texts, epoch=st.none() | texts, lanes=LANES),
    st.builds(Hello, server_time=instants),
)


@given(EVENT)
def test_every_event_comes_back_as_it_was(event):
    assert decode_event(encode(event)) == (event, None)


@given(TOLD)
def test_everything_told_comes_back_as_it_was(word):
    assert decode_down(encode(word)) == (word, None)


@given(st.lists(EVENT, max_size=4), instants)
def test_a_batch_comes_back_in_its_order(events, sent_at):
    batch = EventBatch(client=ClientId("gw1"), epoch=Epoch("e"), sent_at=sent_at, events=tuple(events))
    assert decode_batch(encode_batch(batch)) == (batch, [])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_word_or_malformed(payload):
    for decode in (decode_event, decode_down, decode_batch):
        try:
            decode(payload)
        except MalformedMessage:
            continue


@given(EVENT, st.integers(2, 9), st.text(min_size=1, max_size=8).map("new_{}".format))
def test_a_newer_message_reads_as_far_as_known_and_is_kept_whole(event, version, key):
    name, _, body = msgspec.msgpack.decode(encode(event))
    payload = msgspec.msgpack.encode([name, version, {**body, key: 7}])
    read, unread = decode_event(payload)
    assert read == event
    assert (unread.type, unread.version, unread.keys) == (name, version, (key,))
    assert msgspec.msgpack.decode(unread.raw) == msgspec.msgpack.decode(payload)


def golden_words() -> list:
    """One word of each type, every field set: never changed, only added to."""
    at, heard = datetime(2026, 11, 24, 8, 0, 0, 4000, UTC), datetime(2026, 11, 24, 8, 0, 1, tzinfo=UTC)
    return [
        EcgChunk(
            device="H10-1", stream="ecg/I", seq=7, session="s", index=1250, at=at, rate_hz=130.17, lead="I",
            samples=b"\1\0\xff\xff",
            clipped=1, contact=False, received_at=heard, at_source=AtSource.ESTIMATED,
        ),
        Reading(
            device="cuff", stream="blood_pressure", seq=3, kind=ReadingKind.BLOOD_PRESSURE, at=at,
            values=(140.0, 90.0, None, 61.0),
            slot=2, device_time="2026-11-24T08:00:00", connection="c1", flags=(Flag.BODY_MOVEMENT,), received_at=heard,
        ),
        DeviceStatus(
            device="cuff", stream="status", seq=1, at=at, battery_percent=80, contact=True, link=LinkState.UP, firmware="1.2",
            clock_offset_s=-1.5, note="clock set", received_at=heard,
        ),
        Abandoned(device="H10-1", stream="ecg/I", first=1, last=9, reason=AbandonReason.DISK_FULL),
        Deferred(device="H10-1", stream="ecg/I", first=10, last=12),
        Receipt(epoch="e", lanes=(LaneReceipt(device="H10-1", stream="ecg/I", stored=((1, 512), (900, 930))),), server_time=at),
        Refused(reason="malformed: x", digest="00", epoch="e", lanes=()),
        Hello(server_time=at),
    ]  # fmt: skip


def test_messages_of_version_1_still_read():
    lines = GOLDEN.read_text().split()
    words = golden_words()
    assert len(lines) == len(words)
    for line, word in zip(lines, words, strict=True):
        decode = decode_event if type(word) in {w for w, _ in EVENTS.values()} else decode_down
        assert decode(bytes.fromhex(line)) == (word, None)


@pytest.mark.parametrize("word", [w for w, _ in (*EVENTS.values(), *DOWN.values())])
def test_every_word_is_in_the_golden_file_with_every_field_set(word):
    (kept,) = [w for w in golden_words() if type(w) is word]
    assert all(getattr(kept, field.name) is not None for field in fields(word))


def test_one_event_that_cannot_be_read_spoils_its_whole_message():
    whole = encode_batch(
        EventBatch(client=ClientId("g"), epoch=Epoch("e"), sent_at=datetime(2026, 1, 1, tzinfo=UTC), events=())
    )
    name, version, body = msgspec.msgpack.decode(whole)
    good = msgspec.msgpack.decode(encode(golden_words()[4]))
    body["events"] = [good, ["ecg", 1, {"device": 7}]]
    with pytest.raises(MalformedMessage, match="event 1 of 2"):
        decode_batch(msgspec.msgpack.encode([name, version, body]))


def test_words_are_values():
    chunk = golden_words()[0]
    assert replace(chunk) == chunk
    assert hash(replace(chunk)) == hash(chunk)

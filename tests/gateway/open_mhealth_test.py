"""The JSON of Wi-Fi wearables: round trips, every mistake by its name, and the schema files say what the code does."""

from __future__ import annotations

import copy
import json
import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import json_check, open_mhealth
from gateway.json_document import BadDate, Impossible, MissingField, NotJson, Problem, WrongSchema, WrongType, WrongUnit
from gateway.reading import (
    ClientId,
    DeviceId,
    EcgChunk,
    Epoch,
    Flag,
    Reading,
    ReadingKind,
    SessionId,
    StreamName,
)
from gateway.wire import MalformedMessage

WATCH = ClientId("watch-1")
SCHEMAS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(open_mhealth.__file__).parent / "schemas").glob("*.json"))
}
HEADER = {
    "uuid": "7f0c",
    "source_creation_date_time": "2026-11-24T08:00:03+08:00",
    "source_data_point_id": "e1/4711",
    "modality": "sensed",
}
WHEN = {"date_time": "2026-11-24T08:00:00+08:00"}


def point(name: str, version: str, body: dict[str, Any], namespace: str = "omh", **header: Any) -> dict[str, Any]:
    schema = {"namespace": namespace, "name": name, "version": version}
    return {"header": {**HEADER, "schema_id": schema, **header}, "body": body}


GLUCOSE = point(
    "blood-glucose",
    "4.0",
    {
        "blood_glucose": {"value": 95, "unit": "mg/dL"},
        "specimen_source": "capillary blood",
        "effective_time_frame": WHEN,
    },
)
PRESSURE = point(
    "blood-pressure",
    "4.0",
    {
        "systolic_blood_pressure": {"value": 140, "unit": "mmHg"},
        "diastolic_blood_pressure": {"value": 60, "unit": "mmHg"},
        "effective_time_frame": WHEN,
    },
    user_slot=2,
)
HEART = point("heart-rate", "2.0", {"heart_rate": {"value": 61, "unit": "beats/min"}, "effective_time_frame": WHEN})
ECG = point(
    "ecg-chunk",
    "1.0",
    {
        "lead": "MDC_ECG_LEAD_I",
        "sampling_rate": {"value": 250, "unit": "Hz"},
        "unit": "uV",
        "contact": True,
        "session": "s-1",
        "first_sample_index": 750,
        "samples": [12, None, 40000],
        "effective_time_frame": {
            "time_interval": {
                "start_date_time": "2026-11-24T08:00:00.004+08:00",
                "duration": {"value": 12, "unit": "ms"},
            }
        },
    },
    namespace="tierwatch",
)
GOOD = {"blood-glucose-4.0": GLUCOSE, "blood-pressure-4.0": PRESSURE, "heart-rate-2.0": HEART, "ecg-chunk-1.0": ECG}


def read(document: Any) -> open_mhealth.DataPoint:
    return open_mhealth.read(json.dumps(document).encode(), WATCH)


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with one value put in its place; `...` takes the key out."""
    copied = copy.deepcopy(document)
    *way, last = path.split(".")
    here = copied
    for key in way:
        here = here[key]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return copied


def test_the_examples_of_the_documentation() -> None:
    glucose = read(GLUCOSE)
    assert glucose.epoch == "e1"
    assert glucose.event == Reading(
        device=DeviceId("watch-1"),
        stream=StreamName("glucose"),
        seq=4711,
        kind=ReadingKind.GLUCOSE,
        values=(95.0,),
        at=datetime(2026, 11, 24, tzinfo=UTC),
        device_time="2026-11-24T08:00:00+08:00",
    )
    pressure = read(PRESSURE).event
    assert isinstance(pressure, Reading)
    assert (pressure.values, pressure.slot) == ((140.0, 60.0, None, None), 2)
    chunk = read(ECG).event
    assert isinstance(chunk, EcgChunk)
    assert (chunk.stream, chunk.lead, chunk.session, chunk.index, chunk.rate_hz) == ("ecg/I", "I", "s-1", 750, 250.0)
    assert (struct.unpack("<3h", chunk.samples), chunk.clipped) == ((12, -32768, 32767), 1)
    assert chunk.at == datetime(2026, 11, 24, 0, 0, 0, 4000, tzinfo=UTC)


def test_millimoles_are_converted_because_the_unit_says_so() -> None:
    event = read(changed(GLUCOSE, "body.blood_glucose", {"value": 5.5, "unit": "mmol/L"})).event
    assert isinstance(event, Reading)
    assert event.values == (99.1,)


def test_control_solution_is_nobodys() -> None:
    event = read(changed(GLUCOSE, "body.specimen_source", "control solution")).event
    assert isinstance(event, Reading)
    assert event.flags == (Flag.CONTROL_SOLUTION,)


MISTAKES: list[tuple[dict[str, Any], str, Any, type[Problem], str]] = [
    # A glucose of 5.5 taken for mg/dL would be a false emergency, of 95 taken for mmol/L a missed one.
    (GLUCOSE, "body.blood_glucose.unit", "mg/l", WrongUnit, "wrong_unit"),
    (GLUCOSE, "body.blood_glucose.unit", "mmHg", WrongUnit, "wrong_unit"),
    (PRESSURE, "body.systolic_blood_pressure.unit", "kPa", WrongUnit, "wrong_unit"),
    (ECG, "body.unit", "mV", WrongUnit, "wrong_unit"),
    # Would divide by zero in every filter.
    (ECG, "body.sampling_rate.value", 0, Impossible, "impossible"),
    (ECG, "body.sampling_rate.value", -250, Impossible, "impossible"),
    (ECG, "body.samples", [], Impossible, "impossible"),
    (ECG, "body.samples", [1.5], WrongType, "malformed"),
    (ECG, "body.samples", [True, False, True], WrongType, "malformed"),
    (ECG, "body.first_sample_index", -1, Impossible, "impossible"),
    # Three samples that claim to last a minute would put the next ones elsewhere.
    (ECG, "body.effective_time_frame.time_interval.duration.value", 60000, Impossible, "impossible"),
    # PostgreSQL takes no NUL in a text.
    (ECG, "body.session", "a\x00b", WrongType, "malformed"),
    (ECG, "body.lead", "I", WrongType, "malformed"),
    (GLUCOSE, "body.blood_glucose.value", -3, Impossible, "impossible"),
    (GLUCOSE, "body.blood_glucose.value", 10**400, Impossible, "impossible"),
    (GLUCOSE, "body.blood_glucose.value", "95", WrongType, "malformed"),
    (GLUCOSE, "body.blood_glucose.value", True, WrongType, "malformed"),
    # The cuff was read the wrong way round.
    (PRESSURE, "body.diastolic_blood_pressure.value", 150, Impossible, "impossible"),
    (GLUCOSE, "header", ..., MissingField, "malformed"),
    (GLUCOSE, "body", ..., MissingField, "malformed"),
    (GLUCOSE, "header.schema_id", ..., MissingField, "malformed"),
    (GLUCOSE, "header.source_data_point_id", ..., MissingField, "malformed"),
    (GLUCOSE, "header.source_data_point_id", "4711", WrongType, "malformed"),
    (GLUCOSE, "header.source_data_point_id", "e1/0", WrongType, "malformed"),
    (GLUCOSE, "header.schema_id.version", "9.0", WrongSchema, "malformed"),
    (GLUCOSE, "body.effective_time_frame.date_time", "yesterday", BadDate, "malformed"),
    # Without an offset it could be any of 26 hours.
    (GLUCOSE, "body.effective_time_frame.date_time", "2026-11-24T08:00:00", BadDate, "malformed"),
    (GLUCOSE, "body.effective_time_frame.date_time", "2026-02-30T08:00:00Z", BadDate, "malformed"),
    (GLUCOSE, "body.effective_time_frame.date_time", "0001-01-01T00:00:00+14:00", BadDate, "malformed"),
    (PRESSURE, "header.user_slot", 256, Impossible, "impossible"),
]


@pytest.mark.parametrize(("document", "path", "value", "kind", "reason"), MISTAKES)
def test_every_mistake_has_its_name(
    document: dict[str, Any], path: str, value: Any, kind: type[Problem], reason: str
) -> None:
    with pytest.raises(kind) as caught:
        read(changed(document, path, value))
    assert isinstance(caught.value, MalformedMessage)
    assert caught.value.reason == reason
    assert path.startswith(caught.value.path) or caught.value.path.startswith(path)


def test_text_that_is_no_json() -> None:
    with pytest.raises(Impossible, match="NaN is no number"):
        open_mhealth.read(json.dumps(changed(GLUCOSE, "body.blood_glucose.value", float("nan"))).encode(), WATCH)
    deep = b"[" * 100_000
    for payload in (b"", b"\xff\xfe", b"{", deep, b'{"a":' + b"9" * 10_000 + b"}"):
        with pytest.raises(NotJson):
            open_mhealth.read(payload, WATCH)
    for payload in (b"[]", b"7", b"null", b'"x"'):
        with pytest.raises(WrongType):
            open_mhealth.read(payload, WATCH)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_point_or_a_problem(payload: bytes) -> None:
    point, problems = open_mhealth.examine(payload, WATCH)
    assert (point is None) == bool(problems)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, way: str = "") -> list[str]:
    if not isinstance(value, dict):
        return [way]
    return [way] * bool(way) + [p for key in value for p in paths(value[key], f"{way}.{key}".lstrip("."))]


VALIDATORS = {
    name: jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for name, schema in SCHEMAS.items()
}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_the_schema_refuses_the_code_refuses_and_what_the_code_takes_the_schema_takes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(GOOD)))
    path = data.draw(st.sampled_from(paths(GOOD[name])))
    document = changed(GOOD[name], path, data.draw(st.just(...) | plain))
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError:
        return
    found, problems = open_mhealth.examine(text, WATCH)
    assert (found is None) == bool(problems)
    valid = VALIDATORS[name].is_valid(json.loads(text))
    if found is not None:
        assert valid, list(VALIDATORS[name].iter_errors(document))
    if valid:
        # The code looks further than a schema can: only these two are beyond it.
        assert all(
            (isinstance(p, Impossible) and p.path.endswith(("diastolic_blood_pressure.value", "duration.value")))
            or isinstance(p, BadDate)
            for p in problems
        ), problems


def test_every_schema_has_a_good_example_and_is_one_itself() -> None:
    assert set(SCHEMAS) == set(GOOD) == {f"{name}-{version}" for _, name, version in open_mhealth.BODIES}
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        VALIDATORS[name].validate(GOOD[name])


instants = st.integers(946_684_800, 4_102_444_800).map(
    lambda seconds: datetime.fromtimestamp(seconds, timezone(timedelta(hours=8)))
)


@given(
    values=st.lists(st.integers(-32767, 32767) | st.just(-32768), min_size=1, max_size=300),
    rate_hz=st.sampled_from([125.0, 130.17, 250.0, 500.0]),
    at=instants,
    seq=st.integers(1, 2**53),
    index=st.integers(0, 2**53),
    kind=st.sampled_from(["ecg/", "ecg/strip/"]),
)
def test_ecg_round_trip(values: list[int], rate_hz: float, at: datetime, seq: int, index: int, kind: str) -> None:
    """A hand-held recording keeps a stream of its own: its silence afterwards must not look like a lost patch."""
    chunk = EcgChunk(
        device=DeviceId("watch-1"),
        stream=StreamName(f"{kind}II"),
        seq=seq,
        session=SessionId("s"),
        index=index,
        at=at.astimezone(UTC),
        rate_hz=rate_hz,
        lead="II",
        samples=struct.pack(f"<{len(values)}h", *values),
    )
    payload = open_mhealth.write(chunk, Epoch("e"), at)
    assert open_mhealth.read(payload, WATCH) == open_mhealth.DataPoint(epoch=Epoch("e"), event=chunk)
    VALIDATORS["ecg-chunk-1.0"].validate(json.loads(payload))


@given(
    at=instants,
    kind=st.sampled_from([ReadingKind.GLUCOSE, ReadingKind.BLOOD_PRESSURE, ReadingKind.HEART_RATE]),
    value=st.integers(20, 300),
    slot=st.none() | st.integers(0, 255),
)
def test_reading_round_trip(at: datetime, kind: ReadingKind, value: int, slot: int | None) -> None:
    two = (float(value), value - 10.0, None, None)
    reading = Reading(
        device=DeviceId("watch-1"),
        stream=StreamName(kind.value),
        seq=3,
        kind=kind,
        values=two if kind is ReadingKind.BLOOD_PRESSURE else (float(value),),
        at=at.astimezone(UTC),
        slot=slot,
        device_time=at.isoformat(),
    )
    payload = open_mhealth.write(reading, Epoch("e"), at)
    assert open_mhealth.read(payload, WATCH).event == reading


def test_checking_a_file_names_every_problem_with_its_line() -> None:
    bad = changed(changed(GLUCOSE, "body.blood_glucose.unit", "x"), "header.uuid", ...)
    found = json_check.check("\n".join(map(json.dumps, (GLUCOSE, bad, ECG))) + "\n\n{not json}\n")
    assert found.messages == 4
    assert [(line, p.path) for line, p in found.problems] == [
        (2, "header.uuid"),
        (2, "body.blood_glucose.unit"),
        (5, "$"),
    ]
    assert json_check.check(json.dumps([GLUCOSE, bad])).problems[0][0] == 2
    assert json_check.check(json.dumps(GLUCOSE, indent=2)) == json_check.Checked(messages=1, problems=())
    assert len(json_check.check(json.dumps(GLUCOSE, indent=2)[:-3]).problems) == 1

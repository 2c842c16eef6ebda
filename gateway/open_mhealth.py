"""The documented JSON of wearables that speak MQTT themselves: Open mHealth data points (IEEE 1752.1) and events.

Pure. `schemas/*.json` say the same in JSON Schema, and a test compares the two. A unit is never converted by guess, and
a value that contradicts itself is refused by name: the message goes to quarantine as it came, with its reason.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from gateway.json_document import Document, Impossible, Problem, TextAndTime, WrongSchema, load
from gateway.reading import (
    MISSING_SAMPLE,
    SATURATED_SAMPLE,
    STRIP_STREAMS,
    DeviceId,
    EcgChunk,
    Epoch,
    Flag,
    Reading,
    ReadingKind,
    SessionId,
    StreamName,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.reading import ClientId

MG_DL_PER_MMOL_L = 18.0182
"""A mole of glucose weighs 180.156 g."""
MMHG = {"mmHg": 1.0}
GLUCOSE_UNITS = {"mg/dL": 1.0, "mmol/L": MG_DL_PER_MMOL_L}
RATE_UNITS = {"beats/min": 1.0}
LEAD_PREFIX = "MDC_ECG_LEAD_"
LONGEST_CHUNK = 100_000
"""Samples in one message."""

GLUCOSE_SCHEMA = ("omh", "blood-glucose", "4.0")
PRESSURE_SCHEMA = ("omh", "blood-pressure", "4.0")
HEART_RATE_SCHEMA = ("omh", "heart-rate", "2.0")
ECG_STREAMS = "ecg/"
ECG_SCHEMA = ("tierwatch", "ecg-chunk", "1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPoint:
    """A message that could be read."""

    epoch: Epoch
    event: Reading | EcgChunk


def read(payload: bytes, client: ClientId) -> DataPoint:
    """One message of a wearable; the client is the device.

    Raises:
        Problem: a `MalformedMessage` that says where, what, and by which reason; the first of all.
    """
    point, problems = examine(payload, client)
    if problems:
        raise problems[0]
    assert point is not None
    return point


def examine(payload: bytes | str, client: ClientId) -> tuple[DataPoint | None, list[Problem]]:
    """One message, and everything that is wrong with it."""
    try:
        document = Document(load(payload))
    except Problem as problem:
        return None, [problem]
    namespace, name = document.text("header.schema_id.namespace"), document.text("header.schema_id.name")
    version = document.text("header.schema_id.version")
    document.text("header.uuid")
    document.time("header.source_creation_date_time")
    document.text("header.modality", optional=True)
    numbered = document.matching("header.source_data_point_id", r"[A-Za-z0-9_:-]{1,64}/[1-9][0-9]{0,17}", "epoch/seq")
    slot = document.whole("header.user_slot", 0, 255, optional=True)
    if namespace is None or name is None or version is None:
        return None, document.problems
    body = BODIES.get((namespace, name, version))
    if body is None:
        known = ", ".join(":".join(each) for each in BODIES)
        document.add(WrongSchema("header.schema_id", f"'{namespace}:{name}:{version}' is unknown; known: {known}"))
        return None, document.problems
    epoch, _, seq = (numbered or "-/1").partition("/")
    event = body(document, DeviceId(client), int(seq), slot)
    if document.problems or event is None:
        return None, document.problems
    return DataPoint(epoch=Epoch(epoch), event=event), []


# ---------------------------------------------------------------------- bodies


def _reading(
    device: DeviceId,
    seq: int,
    slot: int | None,
    kind: ReadingKind,
    values: tuple[float | None, ...],
    when: TextAndTime,
    flags: tuple[Flag, ...] = (),
) -> Reading:
    return Reading(
        device=device,
        stream=StreamName(kind.value),
        seq=seq,
        kind=kind,
        values=values,
        at=when.time,
        slot=slot,
        device_time=when.text,
        flags=flags,
    )


def _glucose(document: Document, device: DeviceId, seq: int, slot: int | None) -> Reading | None:
    value = document.quantity("body.blood_glucose", GLUCOSE_UNITS, 1.0, 2000.0)
    when = document.time("body.effective_time_frame.date_time")
    specimen = document.text("body.specimen_source", optional=True)
    flags = (Flag.CONTROL_SOLUTION,) if specimen == "control solution" else ()
    if value is None or when is None:
        return None
    return _reading(device, seq, slot, ReadingKind.GLUCOSE, (round(value, 1),), when, flags)


def _pressure(document: Document, device: DeviceId, seq: int, slot: int | None) -> Reading | None:
    systolic = document.quantity("body.systolic_blood_pressure", MMHG, 1.0, 400.0)
    diastolic = document.quantity("body.diastolic_blood_pressure", MMHG, 1.0, 400.0)
    document.text("body.body_posture", optional=True)
    document.text("body.measurement_location", optional=True)
    when = document.time("body.effective_time_frame.date_time")
    if document.problems or systolic is None or diastolic is None or when is None:
        return None
    if diastolic >= systolic:
        sentence = f"diastolic {diastolic:g} is not below systolic {systolic:g}"
        document.add(Impossible("body.diastolic_blood_pressure.value", sentence))
        return None
    return _reading(device, seq, slot, ReadingKind.BLOOD_PRESSURE, (systolic, diastolic, None, None), when)


def _heart_rate(document: Document, device: DeviceId, seq: int, slot: int | None) -> Reading | None:
    rate = document.quantity("body.heart_rate", RATE_UNITS, 0.0, 500.0)
    when = document.time("body.effective_time_frame.date_time")
    if rate is None or when is None:
        return None
    return _reading(device, seq, slot, ReadingKind.HEART_RATE, (rate,), when)


def _ecg(document: Document, device: DeviceId, seq: int, _slot: int | None) -> EcgChunk | None:
    lead = document.matching("body.lead", LEAD_PREFIX + "[A-Za-z0-9]{1,16}", "an MDC lead name")
    rate_hz = document.quantity("body.sampling_rate", {"Hz": 1.0}, 1.0, 10_000.0)
    document.unit("body.unit", {"uV": 1.0})
    contact = document.flag("body.contact", default=True)
    is_strip = document.flag("body.strip", default=False)
    session = document.matching("body.session", r"[\x21-\x7e]{1,128}", "1 to 128 printable characters")
    index = document.whole("body.first_sample_index", 0, 2**62)
    samples = document.samples("body.samples", LONGEST_CHUNK)
    when = document.time("body.effective_time_frame.time_interval.start_date_time")
    duration_ms = document.quantity("body.effective_time_frame.time_interval.duration", {"ms": 1.0}, 0.0, 1e9)
    if None in (lead, rate_hz, session, index, samples, when, duration_ms):
        return None
    assert lead and rate_hz and session and index is not None and samples and when and duration_ms is not None  # noqa: PT018
    expected_ms = len(samples) * 1000 / rate_hz
    if abs(duration_ms - expected_ms) > 1000 / rate_hz + 1:
        sentence = f"{len(samples)} samples at {rate_hz:g} Hz last {expected_ms:.1f} ms, not {duration_ms:g}"
        document.add(Impossible("body.effective_time_frame.time_interval.duration.value", sentence))
        return None
    name = lead.removeprefix(LEAD_PREFIX)
    clipped = sum(1 for value in samples if value is not None and abs(value) > SATURATED_SAMPLE)
    cut = [
        MISSING_SAMPLE if value is None else min(SATURATED_SAMPLE, max(-SATURATED_SAMPLE, value)) for value in samples
    ]
    return EcgChunk(
        device=device,
        stream=StreamName(f"{STRIP_STREAMS if is_strip else ECG_STREAMS}{name}"),
        seq=seq,
        session=SessionId(session),
        index=index,
        at=when.time,
        rate_hz=rate_hz,
        lead=name,
        samples=struct.pack(f"<{len(cut)}h", *cut),
        clipped=clipped,
        contact=contact,
    )


BODIES: dict[tuple[str, str, str], Callable[[Document, DeviceId, int, int | None], Reading | EcgChunk | None]] = {
    GLUCOSE_SCHEMA: _glucose,
    PRESSURE_SCHEMA: _pressure,
    HEART_RATE_SCHEMA: _heart_rate,
    ECG_SCHEMA: _ecg,
}
"""Schema (namespace, name, version) and what reads its body."""


# ---------------------------------------------------------------------- writing


def write(event: Reading | EcgChunk, epoch: Epoch, created: datetime) -> bytes:
    """An event as a wearable would send it.

    Raises:
        ValueError: a kind, or a reading without the values, that the JSON cannot say.
    """
    schema, body = _body(event)
    header: dict[str, Any] = {
        "uuid": str(uuid5(NAMESPACE_OID, f"{event.device}/{event.stream}/{epoch}/{event.seq}")),
        "schema_id": dict(zip(("namespace", "name", "version"), schema, strict=True)),
        "source_creation_date_time": created.isoformat(),
        "source_data_point_id": f"{epoch}/{event.seq}",
        "modality": "sensed",
    }
    if isinstance(event, Reading) and event.slot is not None:
        header["user_slot"] = event.slot
    return json.dumps({"header": header, "body": body}, separators=(",", ":"), allow_nan=False).encode()


def _body(event: Reading | EcgChunk) -> tuple[tuple[str, str, str], dict[str, Any]]:
    if isinstance(event, EcgChunk):
        return ECG_SCHEMA, _ecg_body(event)
    when = {"date_time": event.device_time or event.at.isoformat()}
    match event.kind, event.values:
        case ReadingKind.GLUCOSE, (float(value), *_):
            body: dict[str, Any] = {"blood_glucose": {"value": value, "unit": "mg/dL"}}
            if Flag.CONTROL_SOLUTION in event.flags:
                body["specimen_source"] = "control solution"
            return GLUCOSE_SCHEMA, {**body, "effective_time_frame": when}
        case ReadingKind.BLOOD_PRESSURE, (float(systolic), float(diastolic), *_):
            return PRESSURE_SCHEMA, {
                "systolic_blood_pressure": {"value": systolic, "unit": "mmHg"},
                "diastolic_blood_pressure": {"value": diastolic, "unit": "mmHg"},
                "effective_time_frame": when,
            }
        case ReadingKind.HEART_RATE, (float(rate), *_):
            return HEART_RATE_SCHEMA, {
                "heart_rate": {"value": rate, "unit": "beats/min"},
                "effective_time_frame": when,
            }
    raise ValueError(f"no schema for {event.kind} with values {event.values}")


def _ecg_body(chunk: EcgChunk) -> dict[str, Any]:
    count = len(chunk.samples) // 2
    samples = struct.unpack(f"<{count}h", chunk.samples)
    return {
        "lead": LEAD_PREFIX + chunk.lead,
        "sampling_rate": {"value": chunk.rate_hz, "unit": "Hz"},
        "unit": "uV",
        "contact": chunk.contact,
        **({"strip": True} if chunk.stream.startswith(STRIP_STREAMS) else {}),
        "session": chunk.session,
        "first_sample_index": chunk.index,
        "samples": [None if value == MISSING_SAMPLE else value for value in samples],
        "effective_time_frame": {
            "time_interval": {
                "start_date_time": chunk.at.isoformat(),
                "duration": {"value": round(count * 1000 / chunk.rate_hz, 3), "unit": "ms"},
            }
        },
    }

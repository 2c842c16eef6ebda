"""The words of the gateway: what a wearable said, before anybody knows whose it is.

An event names a device and a user slot, never a patient (that is `stream`'s to say). Every event of a lane carries
`seq`, without holes from 1 on, so that what is missing can be named. Nothing here reads a clock or does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

ClientId = NewType("ClientId", str)
"""One MQTT client: a gateway, or a wearable that speaks MQTT itself. [A-Za-z0-9_:-]{1,64}"""
Epoch = NewType("Epoch", str)
"""Random, made with the outbox file: a new memory card is a new epoch, so its seq 1 is no duplicate."""
DeviceId = NewType("DeviceId", str)
"""A wearable, by serial number or identity address."""
StreamName = NewType("StreamName", str)
"""One kind of data of one device: `ecg/I`, `blood_pressure`, `status`. ECG has one stream a lead.

A hand-held device's recordings have a stream of their own, `ecg/strip/I`: each session is one recording (a strip), from
its first sample to its last, and is judged as a whole. It is over when another session begins or nothing more of it
comes for 10 s, so it is sent in pieces that are shorter than that, or whole.
"""
SessionId = NewType("SessionId", str)
"""New whenever a device restarts its sample counter or changes its rate."""

STRIP_STREAMS = "ecg/strip/"
"""How the streams of hand-held recordings begin."""

MISSING_SAMPLE = -32768
"""The int16 that stands for "no sample" in `EcgChunk.samples`."""
SATURATED_SAMPLE = 32767
"""Larger values are saturated here (and at -32767) and counted in `EcgChunk.clipped`."""


class ReadingKind(StrEnum):
    """What a reading measures. Its values and their units are fixed: see `VALUE_NAMES`."""

    BLOOD_PRESSURE = "blood_pressure"
    """A finished cuff measurement."""
    GLUCOSE = "glucose"
    """A finger-stick or CGM glucose value."""
    HEART_RATE = "heart_rate"
    """Rate as the device counts it, with RR intervals where it gives them."""
    OXYGEN_SATURATION = "oxygen_saturation"
    """Pulse oximetry."""


VALUE_NAMES: dict[ReadingKind, tuple[str, ...]] = {
    ReadingKind.BLOOD_PRESSURE: ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_mmhg", "pulse_bpm"),
    ReadingKind.GLUCOSE: ("glucose_mg_dl",),
    # Any number of RR intervals may follow.
    ReadingKind.HEART_RATE: ("rate_bpm", "rr_s"),
    ReadingKind.OXYGEN_SATURATION: ("spo2_percent", "pulse_bpm"),
}
"""Meaning and unit of each position of `Reading.values`; None stands for "the device gave no value"."""


class Flag(StrEnum):
    """What a device says about the worth of a reading."""

    QUESTIONABLE = "questionable"
    """The device itself doubts the value."""
    TEST = "test"
    """A self test or a demonstration: never a reading of a person."""
    CONTROL_SOLUTION = "control_solution"
    """Measured on control solution: never a reading of a person."""
    BODY_MOVEMENT = "body_movement"
    """The person moved during a cuff measurement."""
    CUFF_LOOSE = "cuff_loose"
    """The cuff sat too loosely."""
    IRREGULAR_PULSE = "irregular_pulse"
    """The cuff noticed an irregular pulse."""
    PULSE_OUT_OF_RANGE = "pulse_out_of_range"
    """The pulse lay outside of what the device can measure."""
    POSITION_IMPROPER = "position_improper"
    """The arm was held wrongly."""
    NO_CONTACT = "no_contact"
    """The sensor says that it does not touch the skin."""
    SENSOR_WARM_UP = "sensor_warm_up"
    """A glucose sensor is warming up: what it says is no reading yet."""
    SENSOR_EXPIRED = "sensor_expired"
    """A glucose sensor has ended its session or is worn out: what it says is no reading any more."""
    SIGNAL_LOST = "signal_lost"
    """The sensor cannot measure at present, or its transmitter does not hear it."""


class AtSource(StrEnum):
    """Where an event's `at` comes from."""

    DEVICE = "device"
    """The device's clock, corrected by its offset at connection."""
    ARRIVAL = "arrival"
    """The device has no clock: the moment it was heard."""
    ESTIMATED = "estimated"
    """The gateway did not know the right time when it had to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgChunk:
    """A run of consecutive ECG samples of one lead, as the device measured them."""

    device: DeviceId
    stream: StreamName
    seq: int
    """Number of this event in its lane, from 1."""
    session: SessionId
    index: int
    """Number of the first sample in its session; continuity is integer equality."""
    at: datetime
    """UTC instant of the first sample."""
    rate_hz: float
    """Constant within a session."""
    lead: str
    """MDC lead name without its prefix: `I`, `II`, `V5`."""
    samples: bytes
    """int16 little-endian microvolts; -32768 = missing."""
    clipped: int = 0
    """How many samples were saturated at +-32767."""
    contact: bool = True
    """False when the device says that an electrode is off."""
    received_at: datetime | None = None
    """When the gateway heard it; None from a wearable that speaks MQTT itself (intake stamps those)."""
    at_source: AtSource = AtSource.DEVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One finished measurement of a device that measures now and then."""

    device: DeviceId
    stream: StreamName
    seq: int
    kind: ReadingKind
    values: tuple[float | None, ...]
    """By position as in `VALUE_NAMES`, in the units fixed there."""
    at: datetime
    """UTC instant of the measurement."""
    slot: int | None = None
    """The user slot of a shared device; None where it has none."""
    device_time: str | None = None
    """The device's own time, untouched (ISO 8601 without offset, or its counter): the identity of the content."""
    connection: str | None = None
    """For a meter without a clock: the connection that brought it, in place of `device_time`."""
    flags: tuple[Flag, ...] = ()
    """Sorted."""
    received_at: datetime | None = None
    at_source: AtSource = AtSource.DEVICE


class LinkState(StrEnum):
    """Whether the gateway hears a device."""

    UP = "up"
    """Connected and heard."""
    DOWN = "down"
    """Was connected, is not heard now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """How a device itself is doing. Only what is known is set."""

    device: DeviceId
    stream: StreamName
    seq: int
    at: datetime
    battery_percent: int | None = None
    contact: bool | None = None
    link: LinkState | None = None
    firmware: str | None = None
    clock_offset_s: float | None = None
    """Device clock minus gateway clock at connection."""
    note: str | None = None
    """A plain sentence for what has no field, as "clock jumped by 3600 s"."""
    received_at: datetime | None = None


class AbandonReason(StrEnum):
    """Why an outbox will never send a range of a lane."""

    DISK_FULL = "disk_full"
    """The ring was full: the oldest waveform went first."""
    REFUSED = "refused"
    """The server refused these events for good; their bytes lie in its quarantine or in the outbox's dead letters."""
    STORE_LOST = "store_lost"
    """The server had confirmed them and lost them since (restored from an older backup)."""
    DAMAGED = "damaged"
    """The outbox's own file was damaged there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """The outbox gave up seq `first`..`last` (both included) of a lane: they will never come. Its identity is the range."""

    device: DeviceId
    stream: StreamName
    first: int
    last: int
    reason: AbandonReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Seq `first`..`last` (both included) will come later, behind the present: nobody needs to wait for them."""

    device: DeviceId
    stream: StreamName
    first: int
    last: int


Event = EcgChunk | Reading | DeviceStatus | Abandoned | Deferred
Sequenced = EcgChunk | Reading | DeviceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """One MQTT message of a gateway: events of all its devices, in the order in which it heard them."""

    client: ClientId
    epoch: Epoch
    sent_at: datetime
    """The gateway's clock when it published; only for showing hop times and judging its clock."""
    events: tuple[Event, ...]
    outbox_percent: int | None = None
    """In a message without events: how full the gateway's outbox is, 0 to 100; None: it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneReceipt:
    """What of one lane is safe on the server."""

    device: DeviceId
    stream: StreamName
    stored: tuple[tuple[int, int], ...]
    """Ranges of seq, both ends included, ascending, not touching: committed, quarantined or abandoned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Sent after the commit: an outbox row goes only when a receipt of its epoch covers it."""

    epoch: Epoch
    lanes: tuple[LaneReceipt, ...]
    server_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server will never take this: resending is pointless, and a technical alert has been raised."""

    reason: str
    """One snake-case word of `stream.quarantine.Reason`, then a sentence."""
    digest: str
    """sha256 (hex) of the refused message's payload."""
    epoch: Epoch | None = None
    lanes: tuple[LaneReceipt, ...] = ()
    """Which events of it, where they could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Intake started (anew): every client goes back to its lowest unreceipted seq."""

    server_time: datetime


Down = Receipt | Refused | Hello


@dataclass(frozen=True, slots=True)
class Unread:
    """What a decoder met and does not know: kept and counted, never an error."""

    type: str
    version: int
    keys: tuple[str, ...] = field(default=())
    """Unknown keys of the body, sorted."""
    raw: bytes = b""
    """The whole envelope, where its version is newer or it has unknown keys."""

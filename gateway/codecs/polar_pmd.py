"""Polar's measurement data service (PMD): ECG frames, and the commands that start and stop them.

A frame carries the device's clock at its *last* sample, in ns since 2000 (after a flat battery: since 2019), and int24
microvolts. A strap whose stream is not stopped runs flat; frames need an MTU of 70 or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from gateway.codecs.octets import Octets

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTROL = "FB005C81-02E7-F387-1CAD-8ACD2D8DF0C8"
DATA = "FB005C82-02E7-F387-1CAD-8ACD2D8DF0C8"

START_ECG = bytes.fromhex("02000001820001010E00")
"""130 Hz, 14 bit."""
STOP_ECG = bytes.fromhex("0300")
GET_ECG_SETTINGS = bytes.fromhex("0100")

NOMINAL_RATE_HZ = 130.17
"""What straps really deliver, though they announce 130."""

_INT24 = 1 << 23


class MeasurementType(IntEnum):
    """First byte of a frame."""

    ECG = 0
    PPG = 1
    ACCELERATION = 2
    PP_INTERVAL = 3


class ControlStatus(IntEnum):
    """How the strap answered a command."""

    SUCCESS = 0
    INVALID_OP_CODE = 1
    INVALID_MEASUREMENT_TYPE = 2
    NOT_SUPPORTED = 3
    INVALID_LENGTH = 4
    INVALID_PARAMETER = 5
    ALREADY_IN_STATE = 6
    INVALID_RESOLUTION = 7
    INVALID_SAMPLE_RATE = 8
    INVALID_RANGE = 9
    INVALID_MTU = 10
    INVALID_CHANNELS = 11
    INVALID_STATE = 12
    IN_CHARGER = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgFrame:
    """One notification of the data characteristic."""

    last_sample_ns: int
    """The device's clock at the last sample."""
    microvolts: tuple[int, ...]
    """int24, oldest first, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAnswer:
    """The strap's answer to a command."""

    op: int
    """1 settings, 2 start, 3 stop."""
    measurement: int
    status: int
    """See `ControlStatus`; newer firmware may send others."""
    more: bool = False
    settings: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """(setting, its choices): 0 sample rate in Hz, 1 resolution in bits, 2 range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a read of the control characteristic says the strap can measure."""

    bits: int

    def offers(self, measurement: MeasurementType) -> bool:
        """Whether the strap measures that."""
        return bool(self.bits >> measurement & 1)


def decode(data: bytes) -> EcgFrame:
    """An ECG frame of type 0.

    Raises:
        MalformedPacket: another measurement or frame type, no sample, or a sample cut in two.
    """
    octets = Octets(data)
    measurement = octets.unsigned(1, "measurement type")
    if measurement != MeasurementType.ECG:
        raise octets.malformed(f"measurement type {measurement} is no ECG")
    last_sample_ns = octets.unsigned(8, "time of the last sample")
    frame_type = octets.unsigned(1, "frame type")
    if frame_type != 0:
        raise octets.malformed(f"ECG frame type {frame_type} is unknown; known: 0")
    if octets.left == 0 or octets.left % 3:
        raise octets.malformed(f"{octets.left} bytes of samples are no whole number of 3-byte samples")
    raw = octets.take(octets.left, "samples")
    values = tuple(int.from_bytes(raw[i : i + 3], "little", signed=True) for i in range(0, len(raw), 3))
    return EcgFrame(last_sample_ns=last_sample_ns, microvolts=values)


def encode(last_sample_ns: int, microvolts: Sequence[int]) -> bytes:
    """An ECG frame as the strap sends it; values beyond int24 are an error.

    Raises:
        OverflowError: a value or the time does not fit.
    """
    head = bytes((MeasurementType.ECG,)) + last_sample_ns.to_bytes(8, "little") + b"\0"
    return head + b"".join(int(value).to_bytes(3, "little", signed=True) for value in microvolts)


def decode_control(data: bytes) -> ControlAnswer | Features:
    """What the control characteristic says: an answer (F0) or, when read, the features (0F).

    Raises:
        MalformedPacket: neither, or cut short.
    """
    octets = Octets(data)
    kind = octets.unsigned(1, "kind of answer")
    if kind == 0x0F:
        return Features(bits=octets.unsigned(1, "features"))
    if kind != 0xF0:
        raise octets.malformed(f"{kind:#04x} is neither an answer (0xf0) nor features (0x0f)")
    op = octets.unsigned(1, "op code")
    measurement = octets.unsigned(1, "measurement type")
    status = octets.unsigned(1, "status")
    more = bool(octets.unsigned(1, "more")) if octets.left else False
    settings: list[tuple[int, tuple[int, ...]]] = []
    if op == 1:
        while octets.left:
            setting = octets.unsigned(1, "setting")
            count = octets.unsigned(1, "number of choices")
            settings.append((setting, tuple(octets.unsigned(2, "choice") for _ in range(count))))
    return ControlAnswer(op=op, measurement=measurement, status=status, more=more, settings=tuple(settings))


def encode_answer(answer: ControlAnswer) -> bytes:
    """A strap's answer, for virtual straps."""
    body = bytes((0xF0, answer.op, answer.measurement, answer.status, answer.more))
    for setting, choices in answer.settings:
        body += bytes((setting, len(choices))) + b"".join(choice.to_bytes(2, "little") for choice in choices)
    return body

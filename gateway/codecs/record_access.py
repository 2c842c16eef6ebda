"""2A52, the record access control point: what a meter or sensor is asked of its memory, and how it answers.

Records themselves come as notifications of their own characteristic. Memory is never deleted: there is no code for it
here. It carries no CRC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gateway.codecs.octets import Octets

CONTROL = "2A52"

_FILTER_NUMBER = 1
"""Filter by sequence number (glucose meter) or time offset (CGM)."""


class OpCode(IntEnum):
    """What is asked, or answered."""

    REPORT = 1
    DELETE = 2
    """Known so that it can be named; never written."""
    ABORT = 3
    COUNT = 4
    COUNTED = 5
    """Answer: how many records."""
    DONE = 6
    """Answer: how a request ended."""


class Operator(IntEnum):
    """Which records."""

    NULL = 0
    ALL = 1
    UP_TO = 2
    FROM = 3
    BETWEEN = 4
    FIRST = 5
    LAST = 6


class Result(IntEnum):
    """How a request ended."""

    SUCCESS = 1
    OP_CODE_NOT_SUPPORTED = 2
    INVALID_OPERATOR = 3
    OPERATOR_NOT_SUPPORTED = 4
    INVALID_OPERAND = 5
    NO_RECORDS = 6
    """Nothing is there: as good an end as success."""
    ABORT_UNSUCCESSFUL = 7
    NOT_COMPLETED = 8
    OPERAND_NOT_SUPPORTED = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a collector asks."""

    op: int
    operator: int
    operand: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many records there are."""

    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a request ended."""

    op: int
    """Of the request."""
    result: int
    """See `Result`; reserved numbers are kept as they are."""


RecordAccess = Request | Counted | Done

ALL = Request(op=OpCode.REPORT, operator=Operator.ALL)
STOP = Request(op=OpCode.ABORT, operator=Operator.NULL)


def from_number(number: int) -> Request:
    """Ask for every record from this number (sequence number, or time offset) on, this one too.

    Raises:
        ValueError: the number does not fit 16 bits.
    """
    if not 0 <= number <= 0xFFFF:
        raise ValueError(f"a record's number lies in 0..65535, not {number}")
    operand = bytes((_FILTER_NUMBER,)) + number.to_bytes(2, "little")
    return Request(op=OpCode.REPORT, operator=Operator.FROM, operand=operand)


def number_of(request: Request) -> int | None:
    """From which number on a request asks; None: it does not ask so."""
    is_from = request.operator == Operator.FROM and len(request.operand) == 3 and request.operand[0] == _FILTER_NUMBER
    return int.from_bytes(request.operand[1:], "little") if is_from else None


def decode(data: bytes) -> RecordAccess:
    """2A52 from bytes, in either direction.

    Raises:
        MalformedPacket: an answer of another length, an unknown op code, or nothing behind it.
    """
    octets = Octets(data)
    op = octets.unsigned(1, "op code")
    operator = octets.unsigned(1, "operator")
    if op == OpCode.COUNTED:
        records = octets.unsigned(2, "number of records")
        octets.finish()
        return Counted(records=records)
    if op == OpCode.DONE:
        asked, result = octets.unsigned(1, "op code of the request"), octets.unsigned(1, "result")
        octets.finish()
        return Done(op=asked, result=result)
    if op not in tuple(OpCode):
        raise octets.malformed(f"{op:#04x} is no op code of the record access control point")
    return Request(op=op, operator=operator, operand=octets.take(octets.left, "operand"))


def encode(word: RecordAccess) -> bytes:
    """2A52 as it is written or indicated."""
    match word:
        case Counted():
            return bytes((OpCode.COUNTED, Operator.NULL)) + word.records.to_bytes(2, "little")
        case Done():
            return bytes((OpCode.DONE, Operator.NULL, word.op, word.result))
        case Request():
            return bytes((word.op, word.operator)) + word.operand

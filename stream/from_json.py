"""A message of a wearable that speaks MQTT itself, into the log's terms. Pure; the format is `gateway.open_mhealth`'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.json_document import Problem
from gateway.open_mhealth import read
from stream.admission import MAX_MESSAGE, Admission, Arrival, Fault, admit
from stream.batch import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.reading import ClientId


def admit_json(client: ClientId, payload: bytes, heard_at: datetime) -> Admission:
    """One JSON message: one event, or one fault with the bytes as they came."""
    if len(payload) > MAX_MESSAGE:
        sentence = f"{len(payload)} bytes, the limit is {MAX_MESSAGE}"
        fault = Fault(client=client, epoch=None, reason=Reason.OVERSIZED, at_fault=sentence, body=payload[:4096])
        return Admission(faults=(fault,))
    try:
        point = read(payload, client)
    except Problem as problem:
        fault = Fault(client=client, epoch=None, reason=Reason(problem.reason), at_fault=str(problem), body=payload)
        return Admission(faults=(fault,))
    admitted = admit(client, point.epoch, point.event, heard_at)
    return Admission(arrivals=(admitted,)) if isinstance(admitted, Arrival) else Admission(faults=(admitted,))

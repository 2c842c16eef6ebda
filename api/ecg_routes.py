"""The ECG of an alert: the stored samples around its onset, as one run at one rate with its gaps.

Read only. Must never fill a gap: a sample that is not there says so.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from alerts import reading
from api.access import Caller
from api.house import Here, Row, rows
from api.problem import Problem

router = APIRouter(prefix="/api/v1", tags=["alerts"])

BEFORE = timedelta(seconds=12)
AFTER = timedelta(seconds=18)
"""Thirty seconds around the onset: alerting.md, "What an emergency carries"."""


@router.get("/alerts/{alert}/ecg")
def ecg(alert: UUID, house: Here, caller: Caller) -> Row:
    """Thirty seconds around the onset: base64 of int16 little-endian microvolts, -32768 where there is no sample."""
    del caller
    with house.transaction() as conn:
        found = reading.one_alert(conn, alert)
        if found is None:
            raise Problem(404, f"there is no alert {alert}")
        episodes = [one for one in found["episodes"] if not one["withdrawn"]] or found["episodes"]
        newest = max(episodes, key=lambda one: (one["present"], one["onset"]), default=None)
        onset: datetime = newest["onset"] if newest else found["onset"]
        span = (onset - BEFORE, onset + AFTER)
        stored = rows(conn, "ecg_strip", patient=found["subject"], from_at=span[0], to_at=span[1])
    evidence = newest["evidence"] if newest else {}
    lanes = {(row["device"], row["stream"]) for row in stored}
    wanted = (evidence.get("device"), evidence.get("stream"))
    chosen = wanted if wanted in lanes else min(lanes, default=None)
    if chosen is None:
        raise Problem(404, "no ECG is stored around the onset of this alert")
    return joined([row for row in stored if (row["device"], row["stream"]) == chosen], *span)


def joined(stored: list[Row], from_at: datetime, to_at: datetime) -> dict[str, Any]:
    """Blocks of one lane as one run. A block of another rate than the first is left out, as a gap."""
    import numpy as np

    from stream.ecg_coding import decode  # brings numba: only here, never when the API starts

    rate = float(stored[0]["rate_hz"])
    count = round((to_at - from_at).total_seconds() * rate)
    samples = np.full(count, -32768, np.int16)
    for row in stored:
        if abs(row["rate_hz"] - rate) > rate / 100:
            continue
        block = decode(bytes(row["samples"]))
        first = round((row["at"] - from_at).total_seconds() * rate)
        low, high = max(first, 0), min(first + len(block), count)
        if low < high:
            samples[low:high] = block[low - first : high - first]
    return {
        "at": from_at,
        "seconds": count / rate,
        "rate_hz": rate,
        "lead": stored[0]["lead"],
        "device": stored[0]["device"],
        "i16le": base64.b64encode(samples.astype("<i2").tobytes()).decode(),
    }

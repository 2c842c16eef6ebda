"""ECG in the archive, as intake stores it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from stream.ecg_coding import encode


def store_ecg(
    dsn: str,
    samples: NDArray[Any],
    at: datetime,
    *,
    patient: str = "ada",
    device: str = "h10",
    stream: str = "ecg/I",
    rate_hz: float = 130.0,
    session: str = "s1",
    index: int = 0,
    every: int = 130,
    coded: bytes | None = None,
) -> None:
    """Store samples (microvolts) as chunks of `every` samples, the first at `at`; `coded` stands for each of them."""
    with psycopg.connect(dsn) as conn:
        source = conn.execute(
            "INSERT INTO stream.source (client, epoch) VALUES (%s, 'e') ON CONFLICT (client, epoch)"
            " DO UPDATE SET epoch = 'e' RETURNING source",
            (f"gw-{device}",),
        ).fetchone()
        assert source is not None
        lane = conn.execute(
            "INSERT INTO stream.lane (source, device, stream) VALUES (%s, %s, %s) ON CONFLICT (source, device, stream)"
            " DO UPDATE SET device = EXCLUDED.device RETURNING lane",
            (source[0], device, stream),
        ).fetchone()
        assert lane is not None
        for first in range(0, samples.size, every):
            part = samples[first : first + every].astype(np.int16)
            conn.execute(
                "INSERT INTO stream.ecg (lane, seq, at, patient, session, index, rate_hz, lead, contact, clipped, at_source,"
                " shard, position, ord, received_at, from_gateway, digest, count, samples) VALUES"
                " (%s, %s, %s, %s, %s, %s, %s, %s, true, 0, 'device', 0, 1, 0, now(), true, '', %s, %s)",
                (
                    lane[0], index + first, at + timedelta(seconds=first / rate_hz), patient, session, index + first, rate_hz,
                    stream.rpartition("/")[2], part.size, coded or encode(part),
                ),
            )  # fmt: skip

"""The whole way of data in one process: events as bytes, admission, Ward, policy, alerts. Only MQTT and the store are left out.

Every step is the product's own; time is told, never read. What a gateway would number is numbered here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerts.replaying import Replayed, replay_alerts
from gateway.reading import ClientId, EcgChunk, Epoch, EventBatch, SessionId
from gateway.wire import encode_batch
from stream.admission import admit_batch
from stream.batch import Admitted, Batch, Greeted, Quarantined
from stream.clients import Clients
from stream.log_history import LogHistory
from stream.ward import Ward, in_order
from tests.stream.shard import T0

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from gateway.reading import Event
    from stream.command import Command
    from stream.finding import Condition, Finding

CLIENT, EPOCH = ClientId("gw1"), Epoch("e1")
CHUNK_S = 5.0


@dataclass
class WholeWay:
    """One shard, told event by event."""

    now: datetime = T0
    history: LogHistory = field(default_factory=LogHistory)
    findings: list[Finding] = field(default_factory=list)
    position: int = 0
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    ward: Ward = field(init=False)
    clients: Clients = field(default_factory=Clients)

    def __post_init__(self) -> None:
        self.ward = Ward(self.history)

    def hear(self, at: datetime, *events: Event) -> None:
        """A message of these events, numbered and encoded as a gateway does it, taken in at `at`."""
        numbered = []
        for event in events:
            lane = (event.device, event.stream)
            self.sent[lane] += 1
            numbered.append(replace(event, seq=self.sent[lane]))
        batch = EventBatch(client=CLIENT, epoch=EPOCH, sent_at=at, events=tuple(numbered))
        taken = admit_batch(CLIENT, encode_batch(batch), at)
        assert not taken.faults
        assert not taken.unread
        self._judge(at, [(one.received_at, one.event) for one in taken.arrivals])

    def raw(self, at: datetime, payload: bytes) -> None:
        """A message as it comes, taken in at `at`: what cannot be admitted becomes a row of the log that says so."""
        taken = admit_batch(CLIENT, payload, at)
        said: list[object] = [one.event for one in taken.arrivals]
        said += [
            Quarantined(client=one.client, reason=one.reason, digest="", at_fault=one.at_fault) for one in taken.faults
        ]
        said += [] if taken.greeting is None else [Greeted(outbox_percent=taken.outbox_percent)]
        self._judge(at, [(at, one) for one in said])

    def notice(self, at: datetime, *noticed: object) -> None:
        """Rows that intake writes of itself, or of what it did with an event."""
        self._judge(at, [(at, one) for one in noticed])

    def tell(self, at: datetime, *commands: Command) -> None:
        """Commands as they come out of the inbox."""
        self._judge(at, [(at, command) for command in commands])

    def wait(self, seconds: int) -> None:
        """Nothing comes: a tick a second."""
        for _ in range(seconds):
            self._judge(self.now + timedelta(seconds=1), [])

    def ecg(self, samples: NDArray[np.int16], rate_hz: float, session: str, stream: str = "ecg/I") -> None:
        """A stretch of ECG, as a session of its own, from now on."""
        size, begin = round(CHUNK_S * rate_hz), self.now
        for index in range(0, len(samples), size):
            piece = samples[index : index + size]
            end = begin + timedelta(seconds=(index + len(piece)) / rate_hz)
            chunk = EcgChunk(
                device="ecg1", stream=stream, seq=0, session=SessionId(session), index=index, lead="I",
                at=begin + timedelta(seconds=index / rate_hz), rate_hz=rate_hz,
                samples=piece.astype("<i2").tobytes(), received_at=end,
            )  # fmt: skip
            self.hear(end, chunk)

    def alerts(self) -> list[Replayed]:
        """What people are told."""
        return replay_alerts(self.findings)

    def of(self, condition: Condition) -> list[Finding]:
        """Every statement about a condition."""
        return [found for found in self.findings if found.condition is condition]

    def _judge(self, at: datetime, payloads: Iterable[tuple[datetime, object]]) -> None:
        self.position += 1
        self.now = max(self.now, at)
        rows = tuple(
            Admitted(ord=n, client=CLIENT, epoch=EPOCH, received_at=received_at, payload=payload)
            for n, (received_at, payload) in enumerate(payloads)
        )
        batch = Batch(shard=0, position=self.position, tick=self.now, rows=rows)
        self.history.add(batch)
        self.findings += in_order([*self.clients.observe(batch), *self.ward.observe(batch)])

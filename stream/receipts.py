"""What is told to whom after a commit: receipts, coalesced; refusals, at once. Pure.

A receipt carries the whole range set of a lane, so a lost one is made good by the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gateway.lane import RANGES_IN_A_RECEIPT
from gateway.ranges import holes
from gateway.reading import LaneReceipt, Receipt
from stream.instants import SECOND, instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.ranges import Ranges
    from stream.lane import LaneKey


class Received(Protocol):
    """What came of each lane."""

    def __getitem__(self, key: LaneKey) -> Ranges:
        """Ranges of seq that are safe on the server."""


EVERY_US = SECOND
"""At most one receipt a client in this time, unless something hurries."""


@dataclass(slots=True)
class Receipts:
    """Lanes whose owners have not been told yet, and when each client was told last."""

    waiting: dict[tuple[str, str], dict[LaneKey, None]] = field(default_factory=dict)
    hurried: set[tuple[str, str]] = field(default_factory=set)
    told_us: dict[tuple[str, str], int] = field(default_factory=dict)

    def note(self, touched: Iterable[LaneKey], received: Received) -> None:
        """These lanes were touched by a commit; a hole, or anything but waveform, is told at once."""
        for key in touched:
            source = (key[0], key[1])
            self.waiting.setdefault(source, {})[key] = None
            if not key[3].startswith("ecg") or holes(received[key]):
                self.hurried.add(source)

    def greet(self, client: str, epoch: str) -> None:
        """A client that has nothing to send asks for the time."""
        self.waiting.setdefault((client, epoch), {})
        self.hurried.add((client, epoch))

    def due(self, now_us: int, received: Received) -> list[tuple[str, Receipt]]:
        """Receipts to send now, by client."""
        out: list[tuple[str, Receipt]] = []
        for source in list(self.waiting):
            if source not in self.hurried and now_us - self.told_us.get(source, -EVERY_US) < EVERY_US:
                continue
            lanes = self.waiting.pop(source)
            self.hurried.discard(source)
            self.told_us[source] = now_us
            told = tuple(
                LaneReceipt(device=key[2], stream=key[3], stored=received[key][-RANGES_IN_A_RECEIPT:])
                for key in lanes
                if received[key]
            )
            out.append((source[0], Receipt(epoch=source[1], lanes=told, server_time=instant(now_us))))  # type: ignore[arg-type]
        return out

"""Whose reading is it: (device, user slot, at) -> patient, by what the log has said so far.

A later statement overrides an earlier one for the time that it covers; nothing is deleted, so a correction is a statement too.
Devices and patients that were ever tied together form a household: the unit that is judged, saved and moved as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.instants import micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.reading import DeviceId
    from stream.command import AssignmentChanged
    from stream.finding import PatientId

FOREVER = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time (microseconds, end excluded) in which a device's slot was one patient's, or nobody's."""

    first: int
    end: int
    patient: PatientId | None


@dataclass(slots=True)
class Assignments:
    """All statements so far, as disjoint spans of each (device, slot)."""

    _spans: dict[tuple[DeviceId, int | None], tuple[Span, ...]] = field(default_factory=dict)
    _kin: dict[str, str] = field(default_factory=dict)
    _slots: dict[DeviceId, tuple[int | None, ...]] = field(default_factory=dict)
    """The slots of each device of which something was said."""

    def resolve(self, device: DeviceId, slot: int | None, at_us: int) -> PatientId | None:
        """The patient, or None where nobody was said. A slot without an assignment of its own follows the device's."""
        if slot is not None:
            for span in self._spans.get((device, slot), ()):
                if span.first <= at_us < span.end:
                    return span.patient
        for span in self._spans.get((device, None), ()):
            if span.first <= at_us < span.end:
                return span.patient
        return None

    def wearers(self, device: DeviceId, at_us: int) -> frozenset[PatientId]:
        """Everybody whose this device is at that time, by any of its slots."""
        resolved = (self.resolve(device, slot, at_us) for slot in self._slots.get(device, ()))
        return frozenset(patient for patient in resolved if patient is not None)

    def boundary_us(self, device: DeviceId, after_us: int) -> int:
        """When a device's owner changes next by what was said already; `FOREVER`: never."""
        spans = (span for slot in self._slots.get(device, ()) for span in self._spans.get((device, slot), ()))
        return min((us for span in spans for us in (span.first, span.end) if us > after_us), default=FOREVER)

    def spans(self, device: DeviceId) -> Iterator[tuple[int | None, Span]]:
        """Each slot of a device of which something was said, with whose it is when."""
        for slot in self._slots.get(device, ()):
            for span in self._spans.get((device, slot), ()):
                yield slot, span

    def apply(self, change: AssignmentChanged) -> Span:
        """Take a statement in; returns the span that it covers."""
        end = FOREVER if change.to_at is None else micros(change.to_at)
        new = Span(micros(change.from_at), end, change.patient)
        key = (change.device, change.slot)
        self._spans[key] = overlay(self._spans.get(key, ()), new)
        if change.slot not in self._slots.get(change.device, ()):
            self._slots[change.device] = (*self._slots.get(change.device, ()), change.slot)
        if change.patient is not None:
            self._unite(device_node(change.device), patient_node(change.patient))
        return new

    def household(self, node: str) -> str:
        """The household of a device or patient node: the smallest node name that it is tied to, itself if to none."""
        root = node
        while (above := self._kin.get(root, root)) != root:
            root = above
        return root

    def _unite(self, a: str, b: str) -> None:
        low, high = sorted((self.household(a), self.household(b)))
        self._kin[high] = low


def device_node(device: str) -> str:
    """A device as a node of a household."""
    return f"device/{device}"


def patient_node(patient: str) -> str:
    """A patient as a node of a household."""
    return f"patient/{patient}"


def overlay(spans: Iterable[Span], new: Span) -> tuple[Span, ...]:
    """`spans` with `new` laid over them: what it covers is cut away from the older ones."""
    kept: list[Span] = [new] if new.end > new.first else []
    for old in spans:
        if old.first < new.first:
            kept.append(Span(old.first, min(old.end, new.first), old.patient))
        if old.end > new.end:
            kept.append(Span(max(old.first, new.end), old.end, old.patient))
    return tuple(sorted({s for s in kept if s.end > s.first}, key=lambda s: s.first))

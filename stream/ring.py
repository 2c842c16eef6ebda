"""A reading as the rings of blood pressure hold it. Apart from the charts, so that rules can be run without the detector."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.reading import Reading


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading in a patient's ring."""

    at_us: int
    reading: Reading

    @property
    def opened(self) -> str:
        """Names an episode that begins here: raw device time, or the connection of a cuff without a clock; never `at`."""
        clock = self.reading.device_time or self.reading.connection or f"#{self.reading.seq}"
        return f"{clock}:{self.reading.values[0]:g}/{self.reading.values[1]:g}"

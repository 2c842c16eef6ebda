"""What each virtual device shows over GATT: its services, and what may be done with each characteristic. Data only.

What a device says stays in its own file (`device_sims/h10.py`, `cuff.py`, ...); a profile names no byte of it but the
fixed texts of the device information service.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto

from device_sims import meter, oximeter
from gateway.codecs import battery, blood_pressure, cgm, cgm_sensor, heart_rate, polar_pmd, record_access

CURRENT_TIME = "2A2B"
MAKER, MODEL, SERIAL = "2A29", "2A24", "2A25"


class Use(Flag):
    """What may be done with a characteristic."""

    READ = auto()
    WRITE = auto()
    NOTIFY = auto()
    INDICATE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One characteristic."""

    uuid: str
    """As `gateway.codecs.characteristics.short_uuid` writes it."""
    use: Use
    secure: bool = False
    """Only over an encrypted link."""
    text: str | None = None
    """A value that never changes; None: the device is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of device."""

    name: str
    """What it calls itself over the air; the end of its serial number follows."""
    advertises: tuple[str, ...]
    """The 16-bit services that a scan can filter by."""
    services: tuple[tuple[str, tuple[Row, ...]], ...]
    speaks_when: str | None = None
    """It says nothing before this characteristic is listened to; None: any will do."""


_BATTERY = ("180F", (Row(uuid=battery.LEVEL, use=Use.READ | Use.NOTIFY),))
_CLOCK = ("1805", (Row(uuid=CURRENT_TIME, use=Use.READ | Use.WRITE, secure=True),))


def _information(maker: str, model: str) -> tuple[str, tuple[Row, ...]]:
    return (
        "180A",
        (
            Row(uuid=MAKER, use=Use.READ, text=maker),
            Row(uuid=MODEL, use=Use.READ, text=model),
            Row(uuid=SERIAL, use=Use.READ),
            Row(uuid=battery.FIRMWARE, use=Use.READ),
        ),
    )


H10 = Profile(
    name="Polar H10",
    advertises=("180D",),
    services=(
        ("180D", (Row(uuid=heart_rate.MEASUREMENT, use=Use.NOTIFY),)),
        (
            "FB005C80-02E7-F387-1CAD-8ACD2D8DF0C8",
            (
                Row(uuid=polar_pmd.CONTROL, use=Use.READ | Use.WRITE | Use.INDICATE),
                Row(uuid=polar_pmd.DATA, use=Use.NOTIFY),
            ),
        ),
        _BATTERY,
        _information("Polar Electro Oy", "H10"),
    ),
)
HEART_RATE = Profile(
    name="HR belt",
    advertises=("180D",),
    services=(
        ("180D", (Row(uuid=heart_rate.MEASUREMENT, use=Use.NOTIFY),)),
        _BATTERY,
        _information("Virtual", "HR-1"),
    ),
)
CUFF = Profile(
    name="BP cuff",
    advertises=("1810",),
    services=(
        (
            "1810",
            (
                Row(uuid=blood_pressure.MEASUREMENT, use=Use.INDICATE, secure=True),
                Row(uuid=blood_pressure.INTERMEDIATE, use=Use.NOTIFY, secure=True),
            ),
        ),
        _CLOCK,
        _BATTERY,
        _information("Virtual", "BP-2"),
    ),
    speaks_when=blood_pressure.MEASUREMENT,
)
CGM = Profile(
    name="CGM",
    advertises=("181F",),
    services=(
        (
            "181F",
            (
                Row(uuid=cgm.MEASUREMENT, use=Use.NOTIFY, secure=True),
                Row(uuid=cgm_sensor.FEATURE, use=Use.READ, secure=True),
                Row(uuid=cgm_sensor.STATUS, use=Use.READ, secure=True),
                Row(uuid=cgm_sensor.SESSION_START, use=Use.READ | Use.WRITE, secure=True),
                Row(uuid=cgm_sensor.RUN_TIME, use=Use.READ, secure=True),
                Row(uuid=record_access.CONTROL, use=Use.WRITE | Use.INDICATE, secure=True),
                Row(uuid=cgm_sensor.CONTROL, use=Use.WRITE | Use.INDICATE, secure=True),
            ),
        ),
        _BATTERY,
        _information("Virtual", "CGM-3"),
    ),
    speaks_when=cgm.MEASUREMENT,
)
METER = Profile(
    name="Glucose meter",
    advertises=("1808",),
    services=(
        (
            "1808",
            (
                Row(uuid=meter.MEASUREMENT, use=Use.NOTIFY, secure=True),
                Row(uuid=meter.FEATURE, use=Use.READ, secure=True),
                Row(uuid=record_access.CONTROL, use=Use.WRITE | Use.INDICATE, secure=True),
            ),
        ),
        ("1805", (Row(uuid=CURRENT_TIME, use=Use.READ, secure=True),)),
        _BATTERY,
        _information("Virtual", "BG-5"),
    ),
    speaks_when=record_access.CONTROL,
)
OXIMETER = Profile(
    name="Oximeter",
    advertises=("1822",),
    services=(
        (
            "1822",
            (
                Row(uuid=oximeter.SPOT_CHECK, use=Use.INDICATE),
                Row(uuid=oximeter.CONTINUOUS, use=Use.NOTIFY),
                Row(uuid=oximeter.FEATURE, use=Use.READ),
            ),
        ),
        _BATTERY,
        _information("Virtual", "PO-1"),
    ),
)

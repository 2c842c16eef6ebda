"""Which codec reads which characteristic: the literal table behind `gateway decode`.

A new characteristic is one file of codec, one line here and its vectors in the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.codecs import (
    battery,
    blood_pressure,
    cgm,
    cgm_sensor,
    date_time,
    heart_rate,
    polar_pmd,
    record_access,
)

if TYPE_CHECKING:
    from collections.abc import Callable

DECODERS: dict[str, tuple[str, Callable[[bytes], object]]] = {
    blood_pressure.MEASUREMENT: ("blood pressure measurement", blood_pressure.decode),
    blood_pressure.INTERMEDIATE: ("intermediate cuff pressure, never a reading", blood_pressure.decode_intermediate),
    heart_rate.MEASUREMENT: ("heart rate measurement", heart_rate.decode),
    battery.LEVEL: ("battery level in percent", battery.decode),
    battery.FIRMWARE: ("firmware revision", battery.decode_text),
    "2A08": ("date and time", date_time.decode_date_time),
    "2A2B": ("current time", date_time.decode_current_time),
    cgm.MEASUREMENT: ("glucose of a continuous sensor", cgm.decode),
    cgm_sensor.FEATURE: ("features of a glucose sensor", cgm_sensor.decode_features),
    cgm_sensor.STATUS: ("status of a glucose sensor", cgm_sensor.decode_status),
    cgm_sensor.SESSION_START: ("session start of a glucose sensor", cgm_sensor.decode_session_start),
    cgm_sensor.RUN_TIME: ("run time of a glucose sensor", cgm_sensor.decode_run_time),
    cgm_sensor.CONTROL: ("control point of a glucose sensor", cgm_sensor.decode_control),
    record_access.CONTROL: ("record access control point", record_access.decode),
    polar_pmd.DATA: ("Polar ECG frame", polar_pmd.decode),
    polar_pmd.CONTROL: ("Polar measurement control", polar_pmd.decode_control),
}
"""UUID as `short_uuid` writes it; what it is; its decoder (bytes, or `MalformedPacket`)."""

_BLUETOOTH_TAIL = "-0000-1000-8000-00805F9B34FB"


def short_uuid(uuid: str) -> str:
    """A UUID in the one form used everywhere: capitals, and 4 digits for those that the Bluetooth SIG assigned."""
    upper = uuid.strip().upper().removeprefix("0X")
    if upper.endswith(_BLUETOOTH_TAIL) and upper.startswith("0000"):
        return upper[4:8]
    return upper


def decoder_of(uuid: str) -> Callable[[bytes], object]:
    """The decoder of a characteristic.

    Raises:
        KeyError: none of ours; the known ones are listed.
    """
    known = DECODERS.get(short_uuid(uuid))
    if known is None:
        raise KeyError(f"no codec for characteristic {short_uuid(uuid)}; known: {', '.join(DECODERS)}")
    return known[1]

"""What an advertisement says, in the words of bleak: names and UUIDs as text, data by company or service."""

from __future__ import annotations

from dataclasses import dataclass, field

from bumble.core import UUID, AdvertisingData

_NAMES = (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)
_SIZES = {
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}
_BASE_TAIL = "-0000-1000-8000-00805f9b34fb"


@dataclass(slots=True)
class Advertised:
    """One advertisement."""

    name: str | None = None
    uuids: list[str] = field(default_factory=list)
    """Services, as `long_uuid` writes them."""
    manufacturer: dict[int, bytes] = field(default_factory=dict)
    service: dict[str, bytes] = field(default_factory=dict)


def long_uuid(uuid: UUID) -> str:
    """As bleak and BlueZ write it: 36 characters, small letters."""
    text = uuid.to_hex_str("-").lower()
    return text if len(text) > 8 else f"{text:0>8}{_BASE_TAIL}"  # noqa: PLR2004 - 16 or 32 bits in hexadecimal


def advertised(data: AdvertisingData) -> Advertised:
    """The parts that matter to a scan."""
    found = Advertised()
    for kind, value in data.ad_structures:
        if kind in _NAMES:
            found.name = value.decode("utf-8", "replace")
        elif size := _SIZES.get(kind):
            starts = range(0, len(value), size)
            found.uuids += [long_uuid(UUID.from_bytes(value[start : start + size])) for start in starts]
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA:
            found.manufacturer[int.from_bytes(value[:2], "little")] = value[2:]
        elif kind == AdvertisingData.SERVICE_DATA_16_BIT_UUID:
            found.service[long_uuid(UUID.from_bytes(value[:2]))] = value[2:]
    return found

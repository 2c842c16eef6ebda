"""SFLOAT, the 16-bit decimal of medical devices (ISO/IEEE 11073-20601): 4-bit exponent, 12-bit mantissa.

Its five reserved mantissas all mean "no value" (a real app once showed NaN as 2047 mmHg), so they decode to None:
with any exponent, since a device that writes NaN beside an exponent means no 204.7 kPa.
"""

from __future__ import annotations

NAN = 0x07FF
NOT_AT_THIS_RESOLUTION = 0x0800
PLUS_INFINITY = 0x07FE
MINUS_INFINITY = 0x0802
RESERVED = 0x0801

NO_VALUE = frozenset({NAN, NOT_AT_THIS_RESOLUTION, PLUS_INFINITY, MINUS_INFINITY, RESERVED})

_LARGEST_MANTISSA = 0x07FD


def decode(word: int) -> float | None:
    """The number in a 16-bit word, or None where the word says that there is none."""
    mantissa = word & 0x0FFF
    if mantissa in NO_VALUE:
        return None
    if mantissa >= 0x0800:
        mantissa -= 0x1000
    exponent = word >> 12
    if exponent >= 8:
        exponent -= 16
    # Dividing by a power of ten gives the float nearest to the decimal; multiplying by 0.1 would not.
    return float(mantissa * 10**exponent) if exponent >= 0 else mantissa / 10**-exponent


def encode(value: float | None, exponent: int = 0) -> int:
    """A number as a 16-bit word with that exponent; None becomes NaN.

    Raises:
        ValueError: the value does not fit; value and exponent are named.
    """
    if value is None:
        return NAN
    if not -8 <= exponent <= 7:
        raise ValueError(f"an SFLOAT exponent lies in -8..7, not {exponent}")
    mantissa = round(value / 10.0**exponent)
    if not -_LARGEST_MANTISSA <= mantissa <= _LARGEST_MANTISSA:
        raise ValueError(f"{value} with exponent {exponent} does not fit the 12-bit mantissa of an SFLOAT")
    return (exponent & 0xF) << 12 | (mantissa & 0x0FFF)

"""Bytes back into samples, in the format of `stream/rice.py`, in compiled code.

Compiled code checks no bounds, so every length is checked here: whatever the bytes, a kernel answers with a `Fault`,
and never reads or writes outside of its arrays, nor loops for longer than they are.
"""

# ruff: noqa: PLR2004 - counts of bits say themselves

from __future__ import annotations

from enum import IntEnum

from numba import types

from stream.rice import (
    BYTES_IN,
    FULL_BITS,
    INT,
    MAX_PARAMETER,
    MEAN_BITS,
    MEAN_SHIFT,
    MISSING,
    SAMPLES_OUT,
    TWO,
    UNARY_LIMIT,
    Octets,
    Samples,
    kernel,
    parameter_for,
)


class Fault(IntEnum):
    """What a decoder found wrong; below zero, so that it can stand where a count would."""

    ENDS_TOO_EARLY = -1
    """The bytes end before the samples do."""
    TOO_MANY_SAMPLES = -2
    """More than any block may hold."""
    RUNS_DO_NOT_FIT = -3
    """Missing samples where the block has ended, or runs of none."""
    SAMPLE_OUT_OF_RANGE = -4
    """A sample that no int16 holds."""
    NOT_A_NUMBER = -5
    """A number in more bytes than any number needs."""
    BYTES_LEFT_OVER = -6
    """More bytes than the samples need, or bits set behind the last."""
    PARAMETER_TOO_LARGE = -7
    """A first Rice parameter that no block needs."""


_EARLY = int(Fault.ENDS_TOO_EARLY)
_MANY = int(Fault.TOO_MANY_SAMPLES)
_RUNS = int(Fault.RUNS_DO_NOT_FIT)
_RANGE = int(Fault.SAMPLE_OUT_OF_RANGE)
_NUMBER = int(Fault.NOT_A_NUMBER)
_LEFT = int(Fault.BYTES_LEFT_OVER)
_PARAMETER = int(Fault.PARAMETER_TOO_LARGE)


@kernel(TWO(BYTES_IN, INT))
def _get(octets: Octets, at: int) -> tuple[int, int]:
    """The varint at `at` (or a fault), and the place behind it."""
    number, shift = 0, 0
    while at < octets.size:
        number |= (octets[at] & 127) << shift
        at += 1
        if octets[at - 1] < 128:
            return number, at
        shift += 7
        if shift > 28:
            return _NUMBER, at
    return _EARLY, at


@kernel(INT(BYTES_IN, INT))
def count_in(octets: Octets, most: int) -> int:
    """How many samples a block says it holds, or a fault: too many of them, or fewer bytes than that."""
    count, _ = _get(octets, 1)
    if count > most:
        return _MANY
    return count


@kernel(TWO(BYTES_IN, INT, INT))
def _present(octets: Octets, at: int, count: int) -> tuple[int, int]:
    """How many of `count` samples the table of runs at `at` leaves (or a fault), and the place behind the table."""
    runs, at = _get(octets, at)
    if runs < 0:
        return runs, at
    covered, missing = 0, 0
    for _ in range(runs):
        before, at = _get(octets, at)
        if before < 0:
            return before, at
        length, at = _get(octets, at)
        if length < 0:
            return length, at
        covered += before + length
        missing += length
        if length == 0 or covered > count:
            return _RUNS, at
    return count - missing, at


@kernel(types.void(BYTES_IN, INT, INT, SAMPLES_OUT))
def _spread(octets: Octets, at: int, present: int, out: Samples) -> None:
    """Move the `present` samples at the start of `out` to where they belong; the table at `at` was checked."""
    packed = out[:present].copy()
    runs, at = _get(octets, at)
    taken, i = 0, 0
    for _ in range(runs):
        before, at = _get(octets, at)
        length, at = _get(octets, at)
        out[i : i + before] = packed[taken : taken + before]
        out[i + before : i + before + length] = MISSING
        taken += before
        i += before + length
    out[i:] = packed[taken:]


@kernel(types.Tuple((INT, INT, INT))(INT, INT, INT))  # type: ignore[no-untyped-call]
def _take(held: int, held_bits: int, k: int) -> tuple[int, int, int]:
    """One Rice coded number off the held bits; returns it (or a fault), and what is still held."""
    quotient = 0
    while quotient < UNARY_LIMIT and quotient < held_bits and (held >> (held_bits - 1 - quotient)) & 1:
        quotient += 1
    if quotient == UNARY_LIMIT:
        held_bits -= UNARY_LIMIT
        quotient, k = 0, FULL_BITS
    else:
        held_bits -= quotient + 1
    if held_bits < k:
        return _EARLY, held, held_bits
    held_bits -= k
    number = (quotient << k) | ((held >> held_bits) & ((1 << k) - 1))
    return number, held & ((1 << held_bits) - 1), held_bits


@kernel(INT(BYTES_IN, INT, INT, INT, INT, SAMPLES_OUT))
def _get_bits(octets: Octets, at: int, flags: int, first: int, step: int, out: Samples) -> int:
    """Fill `out` from the Rice codes at `at`; returns 0, or a fault."""
    order, k = (flags >> 5) & 3, flags & 31
    mean, held, held_bits = 1 << (k + MEAN_BITS), 0, 0
    y1, y2, y3 = 0, 0, 0
    for i in range(out.size):
        k = parameter_for(mean, k)
        while held_bits <= 48 and at < octets.size:
            held = (held << 8) | octets[at]
            held_bits += 8
            at += 1
        z, held, held_bits = _take(held, held_bits, k)
        if z < 0:
            return z
        mean += ((z << MEAN_BITS) - mean) >> MEAN_SHIFT
        y = (z >> 1) ^ -(z & 1)
        if order == 1:
            y += y1
        elif order == 2:
            y += 2 * y1 - y2
        elif order == 3:
            y += 3 * y1 - 3 * y2 + y3
        # Checked sample by sample: so no sum of the next one can overflow.
        sample = first + step * y
        if sample <= MISSING or sample > -MISSING - 1:
            return _RANGE
        out[i] = sample
        y3, y2, y1 = y2, y1, y
    return _LEFT if at < octets.size or held_bits >= 8 or held else 0


@kernel(INT(BYTES_IN, INT, INT, SAMPLES_OUT))
def _get_present(octets: Octets, at: int, flags: int, out: Samples) -> int:
    """Fill `out` with the present samples, coded from `at` on; returns 0, or a fault."""
    if out.size == 0:
        return 0 if at == octets.size else _LEFT
    first, at = _get(octets, at)
    step, at = _get(octets, at)
    if first < 0 or step < 0:
        return min(first, step)
    first = (first >> 1) ^ -(first & 1)
    if first <= MISSING or first > -MISSING - 1:
        return _RANGE
    if flags & 31 > MAX_PARAMETER:
        return _PARAMETER
    if step > 0:
        return _get_bits(octets, at, flags, first, step, out)
    out[:] = first
    return 0 if at == octets.size else _LEFT


@kernel(INT(BYTES_IN, SAMPLES_OUT))
def decode_into(octets: Octets, out: Samples) -> int:
    """Fill `out`, which has the size that `count_in` told; returns 0, or a fault."""
    _, flags_at = _get(octets, 1)
    if flags_at >= octets.size:
        return _EARLY
    flags, at, present = int(octets[flags_at]), flags_at + 1, out.size
    if flags & 128:
        present, at = _present(octets, at, out.size)
        if present < 0:
            return present
    fault = _get_present(octets, at, flags, out[:present])
    if fault == 0 and flags & 128:
        _spread(octets, flags_at + 1, present, out)
    return fault

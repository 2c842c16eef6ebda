"""The kernels of the ECG codec: differences of order 0 to 3, the step divided out, adaptive Rice codes.

Lossless and exact, integers only. Compiled code checks no bounds, so every length is checked here: whatever the bytes,
a kernel answers with a `Fault`, and never reads or writes outside of its arrays, nor loops longer than they are.

A block after its codec byte (varint = 7 bits a byte, least significant first, high bit: more follow):

    varint  number of samples
    byte    bits 0-4 first Rice parameter, 5-6 order of the differences, 7 whether samples are missing
    varints where samples are missing: number of runs, then for each: samples before it, samples missing
    varint  where any is present: the first, zigzag
    varint  the step: what all samples differ from the first by multiples of; 0 = all are equal, and that is all
    bits    for each present sample its difference in steps, zigzag, Rice coded; most significant bit first; filled up
            to a byte with zeros

After Rice and Plaunt (1971) and Robinson (1994, "SHORTEN"). The parameter follows an exponential mean over about four
samples, as a QRS is ten times the rest of a second: measured on one-second blocks, 24 % better than one parameter a
block on challenge2017, 8 % on challenge2015, 3 % on mitdb, and nothing to transmit.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

MISSING = -32768
UNARY_LIMIT = 24
"""A quotient this large is an escape: the value follows in full."""
FULL_BITS = 20
"""Third differences of int16 need 19 bits and a sign."""
MAX_PARAMETER = 20
MEAN_BITS = 8
"""Fraction bits of the mean."""
MEAN_SHIFT = 2
"""The mean moves by a quarter of what a sample differs."""


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

_LONGEST = 4095
_LENGTH = np.array([number.bit_length() for number in range(_LONGEST + 1)], np.uint8)
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Octets = NDArray[np.uint8]
_Samples = NDArray[np.int16]
_Numbers = NDArray[np.int64]

_SAMPLES_IN = types.Array(types.int16, 1, "C", readonly=True)
_BYTES_IN = types.Array(types.uint8, 1, "C", readonly=True)
_SAMPLES_OUT = types.int16[::1]
_BYTES_OUT = types.uint8[::1]
_NUMBERS = types.int64[::1]
_INT = types.int64
_TWO = types.Tuple((_INT, _INT))  # type: ignore[no-untyped-call]


def _kernel(signature: object) -> Callable[[_Function], _Function]:
    """Compile for this signature alone, when this file is imported, and keep the result on disk."""
    return cast("Callable[[_Function], _Function]", njit(signature, cache=True, error_model="numpy"))


@_kernel(types.void(_NUMBERS))
def _differ(y: _Numbers) -> None:
    """Replace y by its first differences; what lies before the block counts as its first sample, which is 0 here."""
    for i in range(y.size - 1, 0, -1):
        y[i] -= y[i - 1]


@_kernel(_INT(_INT, _INT))
def _parameter(mean: int, k: int) -> int:
    """The Rice parameter for this mean, looked for from the last one on: it moves little."""
    half = mean + (1 << (MEAN_BITS - 1))
    while k < MAX_PARAMETER and (2 << (k + MEAN_BITS)) <= half:
        k += 1
    while k > 0 and (1 << (k + MEAN_BITS)) > half:
        k -= 1
    return k


@_kernel(_TWO(_NUMBERS))
def _to_best_order(y: _Numbers) -> tuple[int, int]:
    """Replace y by the zigzag differences of the order that makes them shortest; returns order and first parameter.

    Shortest by their bit lengths, a fifth of the price of coding all four orders and 0.1 % from its result. (The sum of
    absolute values is decided by the QRS alone and loses 5 % on challenge2017.)
    """
    best_order, best_total = 0, 0
    y1, y2, y3 = 0, 0, 0
    totals = np.zeros(4, np.int64)
    for i in range(y.size):
        y0 = y[i]
        totals[0] += _LENGTH[min(abs(y0), _LONGEST)]
        totals[1] += _LENGTH[min(abs(y0 - y1), _LONGEST)]
        totals[2] += _LENGTH[min(abs(y0 - 2 * y1 + y2), _LONGEST)]
        totals[3] += _LENGTH[min(abs(y0 - 3 * y1 + 3 * y2 - y3), _LONGEST)]
        y3, y2, y1 = y2, y1, y0
    best_total = totals[0]
    for order in range(1, 4):
        if totals[order] < best_total:
            best_order, best_total = order, totals[order]
    for _ in range(best_order):
        _differ(y)
    total = 0
    for i in range(y.size):
        y[i] = (y[i] << 1) ^ (y[i] >> 63)
        total += y[i]
    return best_order, _parameter((total << MEAN_BITS) // y.size, 0)


@_kernel(_INT(_BYTES_OUT, _INT, _INT))
def _put(out: _Octets, at: int, number: int) -> int:
    """A varint at `at`; returns the place behind it, or 0 where there is no room."""
    while at < out.size:
        if number < 128:
            out[at] = number
            return at + 1
        out[at] = (number & 127) | 128
        number >>= 7
        at += 1
    return 0


@_kernel(_TWO(_BYTES_IN, _INT))
def _get(octets: _Octets, at: int) -> tuple[int, int]:
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


@_kernel(_INT(_SAMPLES_IN, _BYTES_OUT, _INT))
def _put_runs(samples: _Samples, out: _Octets, at: int) -> int:
    """The table of missing runs at `at`; returns the place behind it, or 0 where there is no room."""
    runs = 0
    for i in range(samples.size):
        if samples[i] == MISSING and (i == 0 or samples[i - 1] != MISSING):
            runs += 1
    at = _put(out, at, runs)
    i, before = 0, 0
    while i < samples.size and at:
        if samples[i] != MISSING:
            before += 1
            i += 1
            continue
        start = i
        while i < samples.size and samples[i] == MISSING:
            i += 1
        at = _put(out, at, before)
        if at:
            at = _put(out, at, i - start)
        before = 0
    return at


@_kernel(_INT(_SAMPLES_IN, _NUMBERS))
def _in_steps(samples: _Samples, y: _Numbers) -> int:
    """Fill y with the present samples less the first, in units of the step; returns the step."""
    n, step, first = 0, 0, 0
    for i in range(samples.size):
        if samples[i] == MISSING:
            continue
        if n == 0:
            first = samples[i]
        y[n] = samples[i] - first
        a, b = abs(y[n]), step
        n += 1
        if step != 1:
            while a:
                a, b = b % a, a
            step = b
    if step > 1:
        for i in range(n):
            y[i] //= step
    return step


@_kernel(_INT(_NUMBERS, _INT, _BYTES_OUT, _INT))
def _put_bits(zigzag: _Numbers, k: int, out: _Octets, at: int) -> int:
    """The differences as Rice codes at `at`; returns the place behind them, or 0 where there is no room."""
    mean, held, held_bits = 1 << (k + MEAN_BITS), 0, 0
    for z in zigzag:
        k = _parameter(mean, k)
        quotient = z >> k
        if quotient < UNARY_LIMIT:
            held = (held << (quotient + 1 + k)) | (((2 << quotient) - 2) << k) | (z & ((1 << k) - 1))
            held_bits += quotient + 1 + k
        else:
            held = (held << (UNARY_LIMIT + FULL_BITS)) | (((1 << UNARY_LIMIT) - 1) << FULL_BITS) | z
            held_bits += UNARY_LIMIT + FULL_BITS
        mean += ((z << MEAN_BITS) - mean) >> MEAN_SHIFT
        if at + 7 > out.size:  # at most 51 bits are held
            return 0
        while held_bits >= 8:
            held_bits -= 8
            out[at] = (held >> held_bits) & 255
            at += 1
        held &= (1 << held_bits) - 1
    if held_bits:
        out[at] = held << (8 - held_bits)
        at += 1
    return at


@_kernel(_INT(_SAMPLES_IN, _BYTES_OUT))
def encode_into(samples: _Samples, out: _Octets) -> int:
    """Code the samples into `out` from its second byte on; returns the size, or 0 where `out` is too small for it."""
    at = _put(out, 1, samples.size)
    flags_at = at
    if at == 0 or at >= out.size:
        return 0
    present = 0
    for i in range(samples.size):
        present += samples[i] != MISSING
    at += 1
    if present < samples.size:
        at = _put_runs(samples, out, at)
        if at == 0:
            return 0
    out[flags_at] = 128 if present < samples.size else 0
    if present == 0:
        return at
    y = np.empty(present, np.int64)
    step = _in_steps(samples, y)
    for i in range(samples.size):
        if samples[i] != MISSING:
            first = np.int64(samples[i])
            break
    at = _put(out, at, (first << 1) ^ (first >> 63))
    if at:
        at = _put(out, at, step)
    if at == 0 or step == 0:
        return at
    order, k = _to_best_order(y)
    out[flags_at] |= k | (order << 5)
    return _put_bits(y, k, out, at)


@_kernel(_INT(_BYTES_IN, _INT))
def count_in(octets: _Octets, most: int) -> int:
    """How many samples a block says it holds, or a fault: too many of them, or fewer bytes than that."""
    count, _ = _get(octets, 1)
    if count > most:
        return _MANY
    return count


@_kernel(_TWO(_BYTES_IN, _INT, _INT))
def _present(octets: _Octets, at: int, count: int) -> tuple[int, int]:
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


@_kernel(types.void(_BYTES_IN, _INT, _INT, _SAMPLES_OUT))
def _spread(octets: _Octets, at: int, present: int, out: _Samples) -> None:
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


@_kernel(types.Tuple((_INT, _INT, _INT))(_INT, _INT, _INT))  # type: ignore[no-untyped-call]
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


@_kernel(_INT(_BYTES_IN, _INT, _INT, _INT, _INT, _SAMPLES_OUT))
def _get_bits(octets: _Octets, at: int, flags: int, first: int, step: int, out: _Samples) -> int:
    """Fill `out` from the Rice codes at `at`; returns 0, or a fault."""
    order, k = (flags >> 5) & 3, flags & 31
    mean, held, held_bits = 1 << (k + MEAN_BITS), 0, 0
    y1, y2, y3 = 0, 0, 0
    for i in range(out.size):
        k = _parameter(mean, k)
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


@_kernel(_INT(_BYTES_IN, _INT, _INT, _SAMPLES_OUT))
def _get_present(octets: _Octets, at: int, flags: int, out: _Samples) -> int:
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


@_kernel(_INT(_BYTES_IN, _SAMPLES_OUT))
def decode_into(octets: _Octets, out: _Samples) -> int:
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

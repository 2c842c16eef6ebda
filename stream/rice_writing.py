"""Samples into bytes, in the format of `stream/rice.py`, in compiled code.

Compiled code checks no bounds: whatever does not fit into the given room makes `encode_into` answer 0.
"""

# ruff: noqa: PLR2004 - counts of bits say themselves

from __future__ import annotations

import numpy as np
from numba import types

from stream.rice import (
    BYTES_OUT,
    FULL_BITS,
    INT,
    MEAN_BITS,
    MEAN_SHIFT,
    MISSING,
    NUMBERS,
    SAMPLES_IN,
    TWO,
    UNARY_LIMIT,
    Numbers,
    Octets,
    Samples,
    kernel,
    parameter_for,
)

_LONGEST = 4095
_LENGTH = np.array([number.bit_length() for number in range(_LONGEST + 1)], np.uint8)


@kernel(types.void(NUMBERS))
def _differ(y: Numbers) -> None:
    """Replace y by its first differences; what lies before the block counts as its first sample, which is 0 here."""
    for i in range(y.size - 1, 0, -1):
        y[i] -= y[i - 1]


@kernel(TWO(NUMBERS))
def _to_best_order(y: Numbers) -> tuple[int, int]:
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
    return best_order, parameter_for((total << MEAN_BITS) // y.size, 0)


@kernel(INT(BYTES_OUT, INT, INT))
def _put(out: Octets, at: int, number: int) -> int:
    """A varint at `at`; returns the place behind it, or 0 where there is no room."""
    while at < out.size:
        if number < 128:
            out[at] = number
            return at + 1
        out[at] = (number & 127) | 128
        number >>= 7
        at += 1
    return 0


@kernel(INT(SAMPLES_IN, BYTES_OUT, INT))
def _put_runs(samples: Samples, out: Octets, at: int) -> int:
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


@kernel(INT(SAMPLES_IN, NUMBERS))
def _in_steps(samples: Samples, y: Numbers) -> int:
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


@kernel(INT(NUMBERS, INT, BYTES_OUT, INT))
def _put_bits(zigzag: Numbers, k: int, out: Octets, at: int) -> int:
    """The differences as Rice codes at `at`; returns the place behind them, or 0 where there is no room."""
    mean, held, held_bits = 1 << (k + MEAN_BITS), 0, 0
    for z in zigzag:
        k = parameter_for(mean, k)
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


@kernel(INT(SAMPLES_IN, BYTES_OUT))
def encode_into(samples: Samples, out: Octets) -> int:
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
            first = int(samples[i])
            break
    at = _put(out, at, (first << 1) ^ (first >> 63))
    if at:
        at = _put(out, at, step)
    if at == 0 or step == 0:
        return at
    order, k = _to_best_order(y)
    out[flags_at] |= k | (order << 5)
    return _put_bits(y, k, out, at)

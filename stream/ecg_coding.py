"""ECG samples as few bytes, without losing one: what `stream.ecg.samples` holds.

The first byte names the codec, so that a better one can come without rewriting an archive: an id is never reused and
every decoder stays. Must never answer with other samples than were given, nor hang or read astray on any bytes.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SAMPLES = 1 << 20
"""Of one block; a message of ECG is at most 1 MB, half a million samples."""


class Codec(IntEnum):
    """The first byte of a coded block."""

    RAW = 0
    """int16 little-endian: what the other codecs cannot make smaller."""
    RICE = 1
    """Differences in adaptive Rice codes, see `stream/rice.py`."""


class CodingError(ValueError):
    """These are no samples that can be coded, or no bytes that this version can read."""


def encode(samples: NDArray[np.int16]) -> bytes:
    """A block of samples as bytes: at most one byte more than the samples themselves.

    Raises:
        CodingError: not one row of int16, or more than `MAX_SAMPLES`.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise CodingError(f"samples must be one row of int16, not {samples.ndim} dimensions of {samples.dtype}")
    if samples.size > MAX_SAMPLES:
        raise CodingError(f"{samples.size} samples in one block: at most {MAX_SAMPLES}")
    from stream.rice_writing import encode_into

    coded = np.empty(1 + 2 * samples.size, np.uint8)
    coded[0] = Codec.RICE
    size = encode_into(np.ascontiguousarray(samples), coded)
    if size:
        return coded[:size].tobytes()
    return bytes([Codec.RAW]) + samples.astype("<i2").tobytes()


def decode(coded: bytes) -> NDArray[np.int16]:
    """The samples of a block that `encode` made.

    Raises:
        CodingError: bytes that no version of `encode` made, or one newer than this.
    """
    if not coded:
        raise CodingError("no bytes: even an empty block has one that names its codec")
    if coded[0] == Codec.RAW:
        return _raw(coded)
    if coded[0] != Codec.RICE:
        raise CodingError(f"codec {coded[0]} is unknown here: written by a newer version, or not a block of ECG")
    from stream.rice_reading import Fault, count_in, decode_into

    octets = np.frombuffer(coded, np.uint8)
    count = count_in(octets, MAX_SAMPLES)
    if count >= 0:
        samples = np.empty(count, np.int16)
        count = decode_into(octets, samples)
    if count < 0:
        raise CodingError(f"{len(coded)} bytes that are no block of ECG: {Fault(count).name.lower().replace('_', ' ')}")
    return samples


def compile_coding() -> None:
    """Compile (or load from the cache) both directions: intake does so before the first commit waits for them."""
    decode(encode(np.arange(8, dtype=np.int16)))


def _raw(coded: bytes) -> NDArray[np.int16]:
    if len(coded) % 2 == 0:
        raise CodingError(f"{len(coded) - 1} bytes of raw int16: an odd number")
    if len(coded) > 1 + 2 * MAX_SAMPLES:
        raise CodingError(f"{len(coded) // 2} samples in one block: at most {MAX_SAMPLES}")
    samples = np.frombuffer(coded, np.int16, offset=1).copy()
    return samples if sys.byteorder == "little" else samples.byteswap()

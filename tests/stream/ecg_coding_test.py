"""The ECG codec gives back every sample, never grows, and answers any bytes with samples or a `CodingError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gateway.reading import MISSING_SAMPLE
from stream.ecg_coding import MAX_SAMPLES, Codec, CodingError, decode, encode

if TYPE_CHECKING:
    from pathlib import Path

Samples = NDArray[np.int16]
_MISSING = st.just(MISSING_SAMPLE)


@st.composite
def _signals(draw: st.DrawFn, shortest: int = 1) -> Samples:
    """Like an ECG: a walk in steps of some size, from some level, with runs of missing samples."""
    differences = draw(st.lists(st.integers(-60, 60) | st.integers(-4000, 4000), min_size=shortest - 1, max_size=400))
    walk = np.cumsum(np.array([draw(st.integers(-5000, 5000)), *differences], np.int64)) * draw(st.integers(1, 9))
    samples = np.clip(walk, -32767, 32767).astype(np.int16)
    for start in draw(st.lists(st.integers(0, samples.size), max_size=4)):
        samples[start : start + draw(st.integers(1, 60))] = MISSING_SAMPLE
    return samples


_ANY = arrays(np.int16, st.integers(0, 300), elements=st.integers(-32768, 32767) | _MISSING)


@settings(deadline=None)  # the first call compiles
@given(_signals() | _ANY)
@example(np.zeros(0, np.int16))
@example(np.array([7], np.int16))
@example(np.array([MISSING_SAMPLE], np.int16))
@example(np.full(360, MISSING_SAMPLE, np.int16))
@example(np.full(360, -32767, np.int16))
@example(np.tile(np.array([32767, -32767], np.int16), 180))
@example(np.repeat(np.array([0, 32767, -32767, 0], np.int16), 90))
def test_every_block_comes_back_and_never_grows(samples: Samples) -> None:
    coded = encode(samples)
    back = decode(coded)
    assert back.dtype == np.int16
    assert back.tolist() == samples.tolist()
    assert len(coded) <= 1 + 2 * samples.size
    assert back.flags.writeable


ARCHIVED = (
    # Raw, as it was written in 2026: an archive is read for as long as patients live.
    ("000700f9ff", [7, -7]),
    # Differences of a step of 5, two samples missing.
    ("010ae0010502c801056000", [100, 105, 115, 130, 150, -32768, -32768, 175, 205, 240]),
    # All equal.
    ("01c80100b30100", [-90] * 200),
    # A leap that is an escape.
    (
        "01310a0001000010000200010001000400400804041084ffffff0ea6000000020000004000002000004000010000100004000200040010010040",
        [*([0, 1] * 12), 30000, *([0, 1] * 12)],
    ),
)


@pytest.mark.parametrize(("octets", "samples"), ARCHIVED)
def test_what_was_archived_is_read_and_written_as_ever(octets: str, samples: list[int]) -> None:
    assert decode(bytes.fromhex(octets)).tolist() == samples
    assert encode(np.array(samples, np.int16)).hex() == octets


@given(_signals())
def test_the_same_samples_give_the_same_bytes_however_they_lie_in_memory(samples: Samples) -> None:
    read_only = np.frombuffer(samples.tobytes(), np.int16)
    strided = np.repeat(samples, 2)[::2]
    assert encode(samples) == encode(read_only) == encode(strided)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda octets: bytes([Codec.RICE]) + octets))
@example(bytes([Codec.RICE]))
@example(bytes([Codec.RICE, 0x80, 0x80, 0x40, 128, 0]))
@example(bytes([Codec.RICE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]))
@example(bytes([Codec.RICE, 200, 1, 128, 255, 255, 255, 255, 7, 1, 1]))
def test_any_bytes_are_samples_or_an_error(octets: bytes) -> None:
    _answers(octets)


@given(_signals(), st.data())
def test_damaged_blocks_are_samples_or_an_error(samples: Samples, data: st.DataObject) -> None:
    coded = bytearray(encode(samples))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(coded) - 1))
        coded[at] = data.draw(st.integers(0, 255))
    _answers(bytes(coded[: data.draw(st.integers(0, len(coded)))]))


def _answers(octets: bytes) -> None:
    try:
        samples = decode(octets)
    except CodingError:
        return
    assert samples.size <= MAX_SAMPLES
    assert decode(encode(samples)).tolist() == samples.tolist()


@given(_signals(9))
def test_a_block_that_was_cut_or_lengthened_is_never_taken_for_whole(samples: Samples) -> None:
    coded = encode(samples)
    for wrong in (coded[:-1], coded + b"\0"):
        with pytest.raises(CodingError):
            decode(wrong)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        # A column that was never filled.
        (b"", "no bytes"),
        # Restored into an older version.
        (b"\x07abc", "codec 7 is unknown here: written by a newer version"),
        # A copy that broke off.
        (b"\x00abc", "3 bytes of raw int16: an odd number"),
        # Would ask for 34 GB of memory.
        (bytes([Codec.RICE, 255, 255, 255, 255, 63, 0, 0, 0]), "too many samples"),
        # Ten samples, all missing, and then eleven.
        (bytes([Codec.RICE, 10, 128, 1, 0, 11]), "runs do not fit"),
        (bytes([Codec.RICE, 10, 128, 1, 0, 0, 0, 0]), "runs do not fit"),
        # First sample 100,000.
        (bytes([Codec.RICE, 10, 0, 192, 154, 12, 0]), "sample out of range"),
        (bytes([Codec.RICE, 10, 31, 0, 1, 0]), "parameter too large"),
        (bytes([Codec.RICE, 10, 0, 0, 0, 9]), "bytes left over"),
        (bytes([Codec.RICE, 128, 128, 128, 128, 128, 1]), "not a number"),
        (bytes([Codec.RICE, 10, 0]), "ends too early"),
    ],
)
def test_an_error_says_what_is_wrong(octets: bytes, told: str) -> None:
    with pytest.raises(CodingError, match=told):
        decode(octets)


def test_what_is_no_block_of_samples_is_refused() -> None:
    with pytest.raises(CodingError, match="one row of int16, not 1 dimensions of int32"):
        encode(np.zeros(4, np.int32))
    with pytest.raises(CodingError, match="one row of int16, not 2 dimensions"):
        encode(np.zeros((2, 2), np.int16))
    with pytest.raises(CodingError, match=f"at most {MAX_SAMPLES}"):
        encode(np.zeros(MAX_SAMPLES + 1, np.int16))


def test_a_longest_block_comes_back() -> None:
    noise = np.random.default_rng(1).integers(-32768, 32767, MAX_SAMPLES, endpoint=True).astype(np.int16)
    assert np.array_equal(decode(encode(noise)), noise)
    slow = np.cumsum(noise // 8192, dtype=np.int16)
    assert np.array_equal(decode(encode(slow)), slow)


@given(_signals(50), st.integers(2, 9))
def test_a_coarser_step_costs_hardly_more_than_its_own_byte(samples: Samples, step: int) -> None:
    small = np.where(samples == MISSING_SAMPLE, MISSING_SAMPLE, samples // 16).astype(np.int16)
    coarse = np.where(small == MISSING_SAMPLE, MISSING_SAMPLE, small * step).astype(np.int16)
    assert len(encode(coarse)) <= len(encode(small)) + 8


def test_missing_samples_do_not_spoil_the_ratio(records: Path) -> None:
    samples = _record(records, "mitdb/101")
    block = samples[:360].copy()
    whole = len(encode(block))
    block[100:130] = MISSING_SAMPLE
    block[200] = MISSING_SAMPLE
    assert len(encode(block)) < whole + 8


def test_real_seconds_come_back_at_the_promised_ratio(records: Path) -> None:
    for name, rate, ratio in (("mitdb/101", 360, 3.5), ("mitdb/106", 360, 3.0)):
        samples = _record(records, name)
        blocks = [samples[start : start + rate] for start in range(0, samples.size, rate)]
        coded = [encode(block) for block in blocks]
        assert all(np.array_equal(decode(octets), block) for octets, block in zip(coded, blocks, strict=True))
        assert 2 * samples.size / sum(map(len, coded)) > ratio


def _record(records: Path, name: str) -> Samples:
    import wfdb

    if not (records / f"{name}.hea").is_file():
        pytest.skip(f"no recording {name} in {records}")
    record = wfdb.rdrecord(str(records / name), channels=[0], sampto=36000)
    samples: Samples = np.rint(1000 * record.p_signal[:, 0]).astype(np.int16)
    return samples

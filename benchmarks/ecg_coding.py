"""How small and how fast the ECG codec is on real one-second blocks, beside what the standard library offers.

    python benchmarks/ecg_coding.py [--seconds 120] [--records 12]

zlib and lzma get what makes them best here: second differences, as bytes of the low halves, then of the high halves.
"""

from __future__ import annotations

import argparse
import lzma
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import wfdb
from numpy.typing import NDArray

from stream.ecg_coding import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

Block = NDArray[np.int16]
SETS = {"mitdb": 3.5, "challenge2017": 3.6, "challenge2015": 2.5}
"""Folder of recordings, and the ratio that is to be reached on it."""
MOST_MICROSECONDS = 15.0
_NOT_ECG = {"PLETH", "ABP", "RESP"}
_LZMA = [{"id": lzma.FILTER_LZMA2, "preset": 6}]


def blocks(folder: Path, records: int, seconds: int) -> list[Block]:
    """One-second blocks of every ECG signal of some records, in microvolts, evenly chosen."""
    headers = sorted(folder.rglob("*.hea"))
    cut: list[Block] = []
    for header in headers[:: max(1, len(headers) // records)][:records]:
        name = str(header.with_suffix(""))
        length = wfdb.rdheader(name).sig_len
        rate = round(wfdb.rdheader(name).fs)
        record = wfdb.rdrecord(name, sampto=min(length, rate * seconds))
        for number, signal in enumerate(record.sig_name):
            if signal.upper() in _NOT_ECG or (record.units[number] or "mV").lower() != "mv":
                continue
            microvolts = 1000 * record.p_signal[:, number]
            whole = np.clip(np.rint(np.nan_to_num(microvolts)), -32767, 32767)
            samples = np.where(np.isnan(microvolts), -32768, whole).astype(np.int16)
            cut += [samples[start : start + rate] for start in range(0, samples.size - rate + 1, rate)]
    return cut


def _planes(block: Block) -> bytes:
    differences = np.diff(block, n=2, prepend=np.int16(0)).astype("<i2") if block.size else block
    return differences.view(np.uint8).reshape(-1, 2).T.tobytes()


def measure(code: Callable[[Block], bytes], cut: list[Block]) -> tuple[float, float]:
    """Ratio over all blocks, and microseconds a block (the best of three runs)."""
    size = sum(len(code(block)) for block in cut)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for block in cut:
            code(block)
        best = min(best, time.perf_counter() - start)
    return sum(2 * block.size for block in cut) / size, 1e6 * best / len(cut)


def main() -> int:
    """Print the table; 1 where a target is missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=120, help="of each record (default: 120)")
    options.add_argument("--records", type=int, default=12, help="of each set (default: 12)")
    given = options.parse_args()
    shared = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TIERWATCH_DATA") or shared)
    missed = 0
    print(f"{'recordings':15}{'blocks':>8}  {'codec':12}{'ratio':>7}{'us/block':>10}   target")
    for name, target in SETS.items():
        if not (folder / name).is_dir():
            print(f"{name:15} not there: set TIERWATCH_DATA")
            continue
        cut = blocks(folder / name, given.records, given.seconds)
        coded = [encode(block) for block in cut]
        if any(not np.array_equal(decode(octets), block) for octets, block in zip(coded, cut, strict=True)):
            raise AssertionError(f"{name}: a block came back changed")
        back = measure_decoding(coded)
        for codec, code in _CODECS.items():
            ratio, microseconds = measure(code, cut)
            note = ""
            if codec == "tierwatch":
                met = ratio >= target and microseconds <= MOST_MICROSECONDS
                missed += not met
                verdict = "met" if met else "MISSED"
                note = f"   >= {target}, <= {MOST_MICROSECONDS:g} us: {verdict}; decodes in {back:.1f} us"
            print(f"{name:15}{len(cut):8}  {codec:12}{ratio:7.2f}{microseconds:10.1f}{note}")
    return 1 if missed else 0


def measure_decoding(coded: list[bytes]) -> float:
    """Microseconds to decode a block."""
    start = time.perf_counter()
    for octets in coded:
        decode(octets)
    return 1e6 * (time.perf_counter() - start) / len(coded)


_CODECS: dict[str, Callable[[Block], bytes]] = {
    "tierwatch": encode,
    "zlib 9": lambda block: zlib.compress(_planes(block), 9, -15),
    "lzma raw": lambda block: lzma.compress(_planes(block), lzma.FORMAT_RAW, filters=_LZMA),
    "zlib, plain": lambda block: zlib.compress(block.tobytes(), 9),
}

if __name__ == "__main__":
    raise SystemExit(main())

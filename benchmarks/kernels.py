"""Speed of the ECG kernels, everything on, beside NeuroKit2's and sleepecg's beat detectors in the same run.

    python benchmarks/kernels.py [DATA] [--lanes 64] [--seconds 600]

Times real time on one core: seconds of ECG over seconds of processor time, best of three. The peers detect beats only, in whole
records; the kernels also judge quality, fibrillation, silence and rates, in chunks of one second, many lanes a call.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stream.ecg.advance import advance, compile_kernels, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK
from stream.recording import open_record

RECORDS = (("vfdb/420", "250 Hz, no resampling"), ("mitdb/119", "360 Hz"), ("nsrdb/16265", "128 Hz"))
ROUNDS = 3


def batch(samples: np.ndarray[Any, Any], rate: float, lanes: int, seconds: int) -> tuple[Any, Any]:
    """Work of one lane-second a row, in order of time, as a server would get it."""
    step = round(rate)
    work = np.zeros(lanes * seconds, WORK)
    work["slot"] = np.tile(np.arange(lanes), seconds)
    work["index"] = np.repeat(np.arange(seconds) * step, lanes)
    work["first"] = np.arange(lanes * seconds) * step
    work["count"], work["rate_hz"], work["contact"] = step, rate, 1
    order = (work["index"][:, None] + np.arange(step) + (work["slot"] * 7 % samples.size)[:, None]) % samples.size
    return work, samples[order].ravel()


def best(run: Callable[[], object]) -> float:
    """Least of three times, seconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


def main() -> None:
    """Print a table."""
    import neurokit2
    import sleepecg

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--lanes", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = options.data or Path(os.environ.get("TIERWATCH_DATA", shared))
    compile_kernels()
    print(f"{'record':32s}{'kernels':>12s}{'sleepecg':>12s}{'neurokit2':>12s}{'us a chunk':>12s}")
    for name, title in RECORDS:
        recording = open_record(data / name)
        samples, rate = recording.leads[0].samples, recording.rate_hz
        work, all_samples = batch(samples, rate, options.lanes, options.seconds)
        marks = np.zeros(mark_capacity(all_samples.size, work.size), MARK)
        ours = best(lambda: advance(new_charts(options.lanes), work, all_samples, marks)) / work.size  # noqa: B023
        wave = samples[: round(options.seconds * rate)].astype(float) / 1000
        theirs = best(lambda: sleepecg.detect_heartbeats(wave, rate)) / options.seconds  # noqa: B023
        kit = best(lambda: neurokit2.ecg_peaks(neurokit2.ecg_clean(wave, int(rate)), int(rate))) / options.seconds  # noqa: B023
        print(f"{name + ', ' + title:32s}{1 / ours:12,.0f}{1 / theirs:12,.0f}{1 / kit:12,.0f}{1e6 * ours:12.1f}")


if __name__ == "__main__":
    main()

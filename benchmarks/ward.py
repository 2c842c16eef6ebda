"""Patients a core: `Ward.observe` in steady state, MessagePack in and findings out, beside NeuroKit2 and sleepecg.

1,000 patients on different segments of real ECG at 250 Hz, a chunk a second each; 60 s are timed after 30 s of settling.
The peers detect beats only, on whole records, in the same process. Run: `python benchmarks/ward.py [PATIENTS] [SECONDS]`.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from gateway.reading import ClientId, DeviceId, EcgChunk, Epoch, EventBatch, SessionId, StreamName
from gateway.wire import decode_batch, encode_batch
from stream import ecg_feed
from stream.batch import Admitted, Batch
from stream.command import AssignmentChanged
from stream.embedded import collect_rarely
from stream.log_history import LogHistory
from stream.recording import open_record
from stream.verdicts import encode
from stream.ward import Ward

RATE = 250
SETTLING_S = 30
START = datetime(2026, 1, 1, tzinfo=UTC)


def segments(patients: int, seconds: int) -> list[np.ndarray]:
    """Different stretches of CUDB and VFDB (250 Hz), int16 microvolts."""
    folder = Path(os.environ.get("TIERWATCH_DATA") or Path(__file__).parents[2] / "shared" / "data")
    records = sorted([*(folder / "cudb").glob("*.hea"), *(folder / "vfdb").glob("*.hea")])
    if not records:
        sys.exit(f"no recordings in {folder}: set TIERWATCH_DATA")
    whole = [open_record(path).leads[0].samples for path in records]
    rng = np.random.default_rng(0)
    need = seconds * RATE
    picked = (whole[n % len(whole)] for n in range(patients))
    return [signal[start : start + need] for signal in picked for start in [int(rng.integers(0, len(signal) - need))]]


def messages(signals: list[np.ndarray], second: int) -> list[bytes]:
    """What the gateways of all patients send in one second."""
    at = START + timedelta(seconds=second)
    out = []
    for number, signal in enumerate(signals):
        chunk = EcgChunk(
            device=DeviceId(f"d{number}"), stream=StreamName("ecg/I"), seq=second + 1, session=SessionId("s"),
            index=second * RATE,
            at=at, rate_hz=float(RATE), lead="I", samples=signal[second * RATE : (second + 1) * RATE].astype("<i2").tobytes(),
            received_at=at + timedelta(seconds=1),
        )  # fmt: skip
        out.append(
            encode_batch(EventBatch(client=ClientId(f"g{number}"), epoch=Epoch("e"), sent_at=at, events=(chunk,)))
        )
    return out


def rows_of(payloads: list[bytes], tick: datetime) -> tuple[Admitted, ...]:
    """MessagePack into rows of the log."""
    rows = []
    for payload in payloads:
        batch, _ = decode_batch(payload)
        rows += [
            Admitted(ord=len(rows) + n, client=batch.client, epoch=batch.epoch, received_at=tick, payload=event)
            for n, event in enumerate(batch.events)
        ]
    return tuple(rows)


def peers(signal: np.ndarray) -> dict[str, float]:
    """How many times faster than real time the peers find beats in a whole record, on this core."""
    rates = {}
    x = signal.astype(float)
    try:
        import sleepecg

        started = time.process_time()
        for _ in range(20):
            sleepecg.detect_heartbeats(x, RATE)
        rates["sleepecg (beats only)"] = 20 * len(x) / RATE / (time.process_time() - started)
    except ImportError:
        print("sleepecg is not installed: left out")
    try:
        import neurokit2 as nk

        nk.ecg_peaks(nk.ecg_clean(x[: 10 * RATE], sampling_rate=RATE), sampling_rate=RATE)
        started = time.process_time()
        nk.ecg_peaks(nk.ecg_clean(x, sampling_rate=RATE), sampling_rate=RATE)
        rates["NeuroKit2 (beats only)"] = len(x) / RATE / (time.process_time() - started)
    except ImportError:
        print("NeuroKit2 is not installed: left out")
    return rates


def _time_kernels(spent: dict[str, float]) -> None:
    """Have each call of the kernels add its time."""
    call = ecg_feed.advance

    def timed(*arguments: object) -> int:
        begun = time.process_time()
        written = call(*arguments)
        spent["detectors (kernels)"] += time.process_time() - begun
        return written

    ecg_feed.advance = timed


def main(patients: int = 1000, seconds: int = 60) -> None:
    """Print the table."""
    signals = segments(patients, SETTLING_S + seconds)
    ward = Ward(LogHistory())
    assigned = tuple(
        Admitted(
            ord=n, client=None, epoch=None, received_at=START,
            payload=AssignmentChanged(device=DeviceId(f"d{n}"), slot=None, patient=f"p{n}", from_at=START),
        )
        for n in range(patients)
    )  # fmt: skip
    ward.observe(Batch(shard=0, position=1, tick=START, rows=assigned))
    collect_rarely()
    cpu, wall, findings = 0.0, [], 0
    spent = dict.fromkeys(("decoding MessagePack", "detectors (kernels)", "encoding findings"), 0.0)
    _time_kernels(spent)
    for second in range(SETTLING_S + seconds):
        payloads = messages(signals, second)
        tick = START + timedelta(seconds=second + 1)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        rows = rows_of(payloads, tick)
        decoded = time.process_time()
        said = ward.observe(Batch(shard=0, position=second + 2, tick=tick, rows=rows))
        observed = time.process_time()
        for finding in said:
            encode(finding)
        ended = time.process_time()
        wall.append(time.perf_counter() - begun)
        cpu += ended - begun_cpu
        spent["decoding MessagePack"] += decoded - begun_cpu
        spent["encoding findings"] += ended - observed
        findings += len(said)
        if second == SETTLING_S - 1:  # what was timed so far was the settling
            cpu, wall, findings = 0.0, [], 0
            spent.update(dict.fromkeys(spent, 0.0))
    p50, p99 = np.percentile(wall, [50, 99])
    print(f"{patients} patients, {seconds} s: {cpu:.2f} s of one core; {findings} findings")
    print(f"patients a core: {patients * seconds / cpu:,.0f}   batch p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms")
    spent["order, statements, copies to go back to"] = cpu - sum(spent.values())
    for what, took in spent.items():
        print(f"  {1e6 * took / patients / seconds:5.1f} us a patient-second, {100 * took / cpu:2.0f} %: {what}")
    own = patients * seconds / cpu
    for name, rate in peers(np.concatenate(signals[:5])).items():
        print(f"{name}: {rate:,.0f} x real time; Tierwatch with everything on: {own / rate:.2f} of it")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))

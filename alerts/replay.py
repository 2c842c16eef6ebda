"""A recording through the very Ward and policy of the live way, as fast as it goes: annotations, findings, alerts.

Each record is its own patient and Ward; names give ids; nothing depends on how the samples were cut or how many run at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.burden_lines import burden_lines
from alerts.replaying import replay_alerts
from gateway.reading import ClientId, DeviceId, EcgChunk, Epoch, SessionId, StreamName
from stream.batch import Admitted, Batch
from stream.command import AssignmentChanged
from stream.ecg.marks import BeatClass, Mark, Quality
from stream.finding import Condition, Finding, PatientId
from stream.log_history import LogHistory
from stream.recording import BadRecord, Recording, chunks, open_record
from stream.ward import Ward

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from stream.ecg_feed import Feed

NO_START = datetime(2000, 1, 1, tzinfo=UTC)
"""For a header without a date."""
EXTENSION = "tw"

RHYTHMS: dict[Condition, str] = {
    Condition.ASYSTOLE: "(ASYS",
    Condition.VF: "(VF",
    Condition.VT_SUSTAINED: "(VT",
    Condition.VT: "(VT",
    Condition.NSVT: "(VT",
    Condition.AF: "(AFIB",
    Condition.AFLUTTER: "(AFL",
    Condition.SVT: "(SVTA",
    Condition.EXTREME_TACHY: "(TACHY",
    Condition.EXTREME_BRADY: "(BRADY",
    Condition.TACHY: "(TACHY",
    Condition.BRADY: "(BRADY",
    Condition.BIGEMINY: "(B",
    Condition.TRIGEMINY: "(T",
    Condition.PACED: "(P",
}
"""Which rhythm a condition is annotated as; of several at once the first counts: what kills, then what has a name, then the
rate."""
NORMAL = "(N"
SYMBOLS: dict[int, str] = {BeatClass.N: "N", BeatClass.S: "S", BeatClass.V: "V", BeatClass.Q: "Q", BeatClass.PACED: "/"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What one record came to."""

    record: str
    seconds: float
    beats: int
    findings: int
    alerts: int
    emergencies: int
    skipped: tuple[str, ...] = ()
    error: str = ""
    """Why it could not be replayed; empty: it was."""


def replay_record(path: str, lead: str | None, chunk_s: float, out: str | None) -> Replay:
    """Replay one WFDB record; writes `out/<record>.tw` and `out/<record>.jsonl`. Never raises for a bad record."""
    try:
        recording = open_record(path, lead)
    except BadRecord as error:
        return Replay(
            record=Path(path).name, seconds=0.0, beats=0, findings=0, alerts=0, emergencies=0, error=str(error)
        )
    start = recording.start or NO_START
    marks = Marks()
    findings = list(judged(recording, start, chunk_s, marks))
    seconds = recording.leads[0].samples.size / recording.rate_hz
    lines = list(jsonl(findings, start))
    lines += burden_lines(marks.beats, findings, start, recording.rate_hz, seconds)
    if out is not None:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, sort_keys=True, allow_nan=False) + "\n" for line in lines)
        (folder / f"{recording.name}.jsonl").write_text(text, encoding="utf-8")
        annotate(folder, recording, marks, findings, start)
    alerts = [line for line in lines if line["type"] == "alert"]
    return Replay(
        record=recording.name,
        seconds=seconds,
        beats=len(marks.beats),
        findings=sum(1 for line in lines if line["type"] == "finding"),
        alerts=len(alerts),
        emergencies=sum(1 for line in alerts if line["tier"] == "EMERGENCY"),
        skipped=recording.skipped,
    )


def judged(recording: Recording, start: datetime, chunk_s: float, marks: Marks) -> Iterator[Finding]:
    """Every statement about a recording, in order."""
    device, patient = DeviceId(recording.name), PatientId(recording.name)
    history = LogHistory()
    ward = Ward(history, on_marks=marks.take)
    rows: list[Any] = [AssignmentChanged(device=device, slot=None, patient=patient, from_at=start - timedelta(days=1))]
    cut = zip(*(chunks(recording, lead, chunk_s) for lead in recording.leads), strict=True)
    for position, pieces in enumerate(cut, 1):
        for lead, (index, samples) in zip(recording.leads, pieces, strict=True):
            rows.append(_chunk(device, recording, lead.name, position, index, samples, start))
        index, samples = pieces[0]
        tick = start + timedelta(seconds=(index + len(samples)) / recording.rate_hz)
        admitted = tuple(
            Admitted(ord=n, client=ClientId(recording.name), epoch=Epoch("replay"), received_at=tick, payload=row)
            for n, row in enumerate(rows)
        )
        batch = Batch(shard=0, position=position, tick=tick, rows=admitted)
        rows = []
        history.add(batch)
        yield from ward.observe(batch)


def jsonl(findings: Iterable[Finding], start: datetime) -> Iterator[dict[str, Any]]:
    """A line per episode and a line per alert, sorted by (onset, condition)."""
    listed = sorted(findings, key=lambda f: (f.at, f.condition, f.episode, f.revision))
    first: dict[Any, Finding] = {}
    newest: dict[Any, Finding] = {}
    for finding in listed:
        first.setdefault(finding.episode, finding)
        newest[finding.episode] = finding
    lines: list[dict[str, Any]] = [
        {
            "type": "finding",
            "condition": str(f.condition),
            "kind": str(f.kind).upper(),
            "onset_s": _seconds(f.onset, start),
            "detected_s": _seconds(first[episode].at, start),
            "end_s": _seconds(f.end, start) if f.end is not None else None,
            "confidence": f.confidence,
            "evidence": f.evidence,
        }
        for episode, f in newest.items()
    ]
    lines += [
        {
            "type": "alert",
            "id": str(a.alert),
            "tier": a.tier.name,
            "condition": str(a.finding.condition),
            "onset_s": _seconds(a.finding.onset, start),
            "raised_s": _seconds(a.raised_at, start),
        }
        for a in replay_alerts(listed)
    ]
    yield from sorted(
        lines, key=lambda line: (line["onset_s"], line["condition"], line["type"], json.dumps(line, sort_keys=True))
    )


def annotate(folder: Path, recording: Recording, marks: Marks, findings: list[Finding], start: datetime) -> None:
    """The WFDB annotation file: beats, rhythm changes, changes of quality, at the record's own rate."""
    import wfdb

    rows = [(0, 1, "+", NORMAL)]
    rows += [(sample, 2, SYMBOLS[beat], "") for sample, beat in marks.beats]
    rows += [(sample, 0, "~", Quality(grade).name) for sample, grade in marks.grades]
    rows += [(sample, 1, "+", aux) for sample, aux in rhythm_changes(findings, start, recording.rate_hz)]
    last = recording.leads[0].samples.size - 1
    rows = sorted((min(max(sample, 0), last), order, symbol, aux) for sample, order, symbol, aux in rows)
    wfdb.wrann(
        recording.name,
        EXTENSION,
        np.array([row[0] for row in rows]),
        symbol=[row[2] for row in rows],
        aux_note=[row[3] for row in rows],
        fs=recording.rate_hz,
        write_dir=str(folder),
    )


def rhythm_changes(findings: Iterable[Finding], start: datetime, rate_hz: float) -> list[tuple[int, str]]:
    """(sample, rhythm) wherever the gravest rhythm that is open changes."""
    newest = {f.episode: f for f in findings if f.condition in RHYTHMS and f.withdrawn is None}
    spans = [
        (_sample(f.onset, start, rate_hz), _sample(f.end, start, rate_hz) if f.end else None, f.condition)
        for f in newest.values()
    ]
    edges = sorted({s for first, end, _ in spans for s in (first, end) if s is not None})
    changes: list[tuple[int, str]] = []
    now = NORMAL
    for edge in edges:
        open_ones = {c for first, end, c in spans if first <= edge and (end is None or end > edge)}
        name = next((aux for condition, aux in RHYTHMS.items() if condition in open_ones), NORMAL)
        if name != now:
            changes.append((edge, name))
            now = name
    return changes


class Marks:
    """Beats and grades of the first lead, as the kernels tell them."""

    def __init__(self) -> None:
        self.beats: list[tuple[int, int]] = []
        self.waited: list[int] = []
        """For each beat, how many samples after its peak it was told."""
        self.classed = 0
        """Beats whose class is known: classes come in the order of the beats."""
        self.grades: list[tuple[int, int]] = []
        self._stream: str | None = None

    def take(self, feed: Feed, marks: NDArray[np.void]) -> None:
        """See `Ward.on_marks`."""
        for mark in marks.tolist():
            _, work, kind, _, index, _, decided, value, _, _, beat = mark
            stream = feed.rows[work].lane.key[3]
            self._stream = self._stream or stream
            if stream != self._stream:
                continue
            if kind == Mark.BEAT:
                self.beats.append((index, beat))
                self.waited.append(decided - index)
            elif kind == Mark.CLASS:
                self.beats[self.classed] = (index, beat)
                self.classed += 1
            elif kind == Mark.QUALITY:
                self.grades.append((index, int(value)))


def _chunk(
    device: DeviceId, recording: Recording, lead: str, seq: int, index: int, samples: NDArray[np.int16], start: datetime
) -> EcgChunk:
    return EcgChunk(
        device=device,
        stream=StreamName(f"ecg/{lead}"),
        seq=seq,
        session=SessionId("replay"),
        index=index,
        at=start + timedelta(seconds=index / recording.rate_hz),
        rate_hz=recording.rate_hz,
        lead=lead,
        samples=samples.astype("<i2").tobytes(),
    )


def _seconds(at: datetime, start: datetime) -> float:
    return round((at - start).total_seconds(), 3)


def _sample(at: datetime, start: datetime, rate_hz: float) -> int:
    return round((at - start).total_seconds() * rate_hz)

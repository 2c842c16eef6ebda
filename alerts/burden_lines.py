"""A recording's burdens as lines: beats by class, and atrial fibrillation, in each of its hours. Pure.

Counted from what the replay heard of the recording's first lead; a beat that could not be classed is not counted.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from stream.ecg.marks import BeatClass
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from stream.finding import Finding

HOUR_S = 3600.0


def burden_lines(
    beats: Iterable[tuple[int, int]], findings: Iterable[Finding], start: datetime, rate_hz: float, seconds: float
) -> Iterator[dict[str, Any]]:
    """A line an hour. `beats` are (sample, `BeatClass`), `seconds` is how long the recording is."""
    counts = Counter((int(sample / rate_hz // HOUR_S), beat) for sample, beat in beats if beat != BeatClass.Q)
    spans = _fibrillating(findings, start, seconds)
    for hour in range(max(1, -int(-seconds // HOUR_S))):
        total = sum(n for (of, _), n in counts.items() if of == hour)
        v, s = counts[hour, BeatClass.V], counts[hour, BeatClass.S]
        begin, end = hour * HOUR_S, (hour + 1) * HOUR_S
        yield {
            "type": "burden",
            "hour": hour,
            "beats": total,
            "v": v,
            "s": s,
            "v_percent": round(100 * v / total, 3) if total else 0.0,
            "s_percent": round(100 * s / total, 3) if total else 0.0,
            "af_s": round(sum(max(0.0, min(last, end) - max(first, begin)) for first, last in spans), 1),
        }


def _fibrillating(findings: Iterable[Finding], start: datetime, seconds: float) -> list[tuple[float, float]]:
    """Stretches of atrial fibrillation on any lead, merged; one that goes on ends with the recording."""
    newest = {f.episode: f for f in findings if f.condition is Condition.AF and f.withdrawn is None}
    spans = sorted(
        ((f.onset - start).total_seconds(), (f.end - start).total_seconds() if f.end else seconds)
        for f in newest.values()
    )
    merged: list[tuple[float, float]] = []
    for first, last in spans:
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged

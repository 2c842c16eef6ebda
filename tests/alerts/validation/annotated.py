"""References and judgements made by hand, for the scorings."""

from __future__ import annotations

import math

import numpy as np

from alerts.validation.judgement import Alarm, Episode, Judgement
from alerts.validation.reference import CLASS_OF, Annotations

RATE = 100.0


def reference(rows, seconds=1800.0, rate=RATE):
    """Annotations from (second, symbol) or (second, symbol, text)."""
    full = sorted((round(row[0] * rate), row[1], row[2] if len(row) > 2 else "") for row in rows)
    return Annotations(
        rate_hz=rate,
        length=round(seconds * rate),
        sample=np.array([row[0] for row in full], np.int64),
        symbol=np.array([row[1] for row in full], dtype="U1"),
        text=tuple(row[2] for row in full),
    )


def said(*, beats=(), rhythms=(), episodes=(), alarms=(), grades=(), seconds=1800.0, rate=RATE):
    """A judgement from (second, class), (start, end, label), (condition, onset, detected, end), (tier, condition, raised)."""
    technical = {"noise", "lead_off", "no_data"}
    return Judgement(
        rate_hz=rate,
        length=round(seconds * rate),
        beats=np.array([round(at * rate) for at, _ in beats], np.int64),
        classes=np.array([CLASS_OF[symbol] for _, symbol in beats], dtype="U1"),
        waited_s=np.full(len(beats), 0.3),
        rhythms=tuple(rhythms),
        grades=tuple(grades),
        episodes=tuple(
            Episode(
                condition=condition,
                kind="TECHNICAL" if condition in technical else "PHYSIOLOGICAL",
                onset_s=onset,
                detected_s=detected,
                end_s=math.inf if end is None else end,
            )
            for condition, onset, detected, end in episodes
        ),
        alarms=tuple(
            Alarm(
                tier=tier,
                condition=condition,
                kind="TECHNICAL" if condition in technical else "PHYSIOLOGICAL",
                onset_s=raised,
                raised_s=raised,
            )
            for tier, condition, raised in alarms
        ),
        cpu_s=1.0,
    )

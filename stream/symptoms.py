"""What the patient feels, as episodes: each code stands until it is said anew, "I am fine", or for the plan's time. Pure.

The reports are judged anew with each one, so that a report that comes late gives what order would have given. A code
that this version does not know is told all the same: somebody felt it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.finding import Condition
from stream.instants import SECOND, instant
from stream.limits import limit
from stream.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FINE = "fine"
CODES = ("chest_pain", "breathless", "faint", "palpitations", "dizzy", "other", FINE)
"""The list that is offered to patients."""
AGAIN_US = 60 * SECOND
"""Said again after so long it is felt anew: an episode of its own, so that an alert which somebody has closed meanwhile
does not keep it to itself. Sooner it is a second press."""
KEPT = 64


class Report(NamedTuple):
    """One check-in."""

    at_us: int
    symptoms: tuple[str, ...]


def stretches(reports: Sequence[Report], own: Mapping[str, float], now_us: int) -> list[Stretch]:
    """Episodes that these reports (by `at`) show at `now_us`."""
    lasts_us = round(limit(own, "symptom_s") * SECOND)
    found: list[Stretch] = []
    for code in sorted({code for report in reports for code in report.symptoms} - {FINE}):
        first: Report | None = None
        last_us = 0
        for report in reports:
            is_felt = code in report.symptoms
            if first is not None and report.at_us - last_us > lasts_us:
                found.append(_stretch(code, first, last_us, last_us + lasts_us))
                first = None
            elif first is not None and is_felt and report.at_us - last_us >= AGAIN_US:
                found.append(_stretch(code, first, last_us, report.at_us))
                first = None
            if is_felt:
                first, last_us = first or report, report.at_us
            elif first is not None and FINE in report.symptoms:
                found.append(_stretch(code, first, last_us, report.at_us))
                first = None
        if first is not None:
            end_us = last_us + lasts_us
            found.append(_stretch(code, first, last_us, end_us if end_us <= now_us else None))
    return found


def expires_us(reports: Sequence[Report], own: Mapping[str, float], now_us: int) -> int | None:
    """When the next one that stands is over by itself; None: none stands."""
    lasts_us = round(limit(own, "symptom_s") * SECOND)
    return min((s.last_us + lasts_us for s in stretches(reports, own, now_us) if s.end_us is None), default=None)


def kept(reports: Sequence[Report], report: Report) -> tuple[Report, ...]:
    """The reports with one more, by `at`; the oldest fall off."""
    return tuple(sorted({*reports, report})[-KEPT:])


def _stretch(code: str, first: Report, last_us: int, end_us: int | None) -> Stretch:
    stream = f"symptom/{code}"
    return Stretch(
        condition=Condition.SYMPTOM, stream=stream, opened=f"{code}:{instant(first.at_us).isoformat()}",
        onset_us=first.at_us, last_us=last_us, at_us=last_us if end_us is None else end_us, end_us=end_us,
        evidence={"device": "patient", "stream": stream, "code": code},
    )  # fmt: skip

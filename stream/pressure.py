"""Blood pressure: which readings count, what they come to, and when a crisis is repeated. Pure: from readings to episodes.

The whole list is judged anew with every reading, so that a memory uploaded out of order gives what order would have given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.reading import Flag
from stream.finding import Condition
from stream.instants import SECOND
from stream.limits import limit
from stream.pressure_mean import raised_means
from stream.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stream.ring import Kept
    from stream.statement import Evidence

SYSTOLIC_MMHG = (50.0, 260.0)
DIASTOLIC_MMHG = (30.0, 160.0)
PULSE_PRESSURE_MMHG = (15.0, 130.0)
"""Outside of these a cuff has not measured a person (detection.md, "Blood pressure")."""
SITTING_US = 150 * SECOND
"""Readings this close are one sitting, and count by their mean (one to two minutes apart, and half a minute for the cuff)."""
CONFIRMS_US = 24 * 3600 * SECOND
"""A high sitting confirms one before it within a day."""
USUAL_US = 7 * 24 * 3600 * SECOND
USUAL_LEAST = 6
"""So many sittings of the week before say what is usual."""
FALLEN_BELOW_MMHG = 110.0
"""A fall counts below this only: a treated hypertensive's 170 to 138 is what was wanted (ours, no source)."""
DOUBT = 0.7
"""What each quality flag leaves of the confidence in a reading."""
DOUBTFUL = frozenset(
    {
        Flag.QUESTIONABLE, Flag.BODY_MOVEMENT, Flag.CUFF_LOOSE, Flag.POSITION_IMPROPER, Flag.IRREGULAR_PULSE,
        Flag.PULSE_OUT_OF_RANGE,
    }
)  # fmt: skip
NO_PERSON = frozenset({Flag.TEST, Flag.CONTROL_SOLUTION})
CONDITIONS = frozenset(
    {
        Condition.BP_CRISIS, Condition.BP_CRISIS_UNCONFIRMED, Condition.BP_HIGH, Condition.BP_LOW, Condition.BP_VERY_LOW,
        Condition.BP_MEAN_HIGH, Condition.IRREGULAR_PULSE,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sitting:
    """Readings taken together."""

    readings: tuple[Kept, ...]

    @property
    def at_us(self) -> int:
        """Its first reading."""
        return self.readings[0].at_us

    @property
    def mean(self) -> tuple[float, float]:
        """Systolic and diastolic mean."""
        pairs = [values(kept) for kept in self.readings]
        return sum(p[0] for p in pairs) / len(pairs), sum(p[1] for p in pairs) / len(pairs)


def is_valid(kept: Kept) -> bool:
    """Whether the reading is one of a person: never a test, never outside of what can be."""
    systolic, diastolic = kept.reading.values[:2]
    if systolic is None or diastolic is None or NO_PERSON & set(kept.reading.flags):
        return False
    return (
        SYSTOLIC_MMHG[0] <= systolic <= SYSTOLIC_MMHG[1]
        and DIASTOLIC_MMHG[0] <= diastolic <= DIASTOLIC_MMHG[1]
        and PULSE_PRESSURE_MMHG[0] <= systolic - diastolic <= PULSE_PRESSURE_MMHG[1]
    )


def stretches(
    readings: Sequence[Kept], own: Mapping[str, float], now_us: int, *, with_mean: bool = True
) -> list[Stretch]:
    """All that readings (by `at`) show."""
    valid = [kept for kept in readings if is_valid(kept)]
    together = sittings(valid)
    found = (
        crises(valid, own, now_us)
        + very_low(valid, own)
        + irregular(valid)
        + highs(together, own)
        + lows(together, own)
    )
    return found + raised_means(valid, own) if with_mean else found


def crises(readings: Sequence[Kept], own: Mapping[str, float], now_us: int) -> list[Stretch]:
    """Crisis pressure in valid readings.

    A first one asks for a second (`BP_CRISIS_UNCONFIRMED`, open until the next reading, or 15 min have gone by); a
    crisis reading that follows another after 1 to 15 min is `BP_CRISIS`, open until a reading lies below.
    """
    systolic, diastolic = limit(own, "bp_crisis_systolic_mmhg"), limit(own, "bp_crisis_diastolic_mmhg")

    def is_high(kept: Kept) -> bool:
        return values(kept)[0] >= systolic or values(kept)[1] >= diastolic

    return _repeated(readings, own, is_high, Condition.BP_CRISIS, Condition.BP_CRISIS_UNCONFIRMED, now_us)


def very_low(readings: Sequence[Kept], own: Mapping[str, float]) -> list[Stretch]:
    """Systolic pressure below 80 mmHg that is met again after 1 to 15 min, until a reading lies above."""
    below = limit(own, "bp_very_low_systolic_mmhg")
    return _repeated(readings, own, lambda kept: values(kept)[0] < below, Condition.BP_VERY_LOW, None, 0)


def irregular(readings: Sequence[Kept]) -> list[Stretch]:
    """The cuff's own word about the pulse, until a reading without it."""
    found: list[Stretch] = []
    is_open = False
    for kept in readings:
        is_flagged = Flag.IRREGULAR_PULSE in kept.reading.flags
        if is_open:
            found[-1] = _worse(found[-1], kept) if is_flagged else _ended(found[-1], kept.at_us, kept.at_us)
        elif is_flagged:
            found.append(_stretch(Condition.IRREGULAR_PULSE, kept))
        is_open = is_flagged
    return found


def sittings(readings: Sequence[Kept]) -> list[Sitting]:
    """Valid readings, those taken together as one."""
    found: list[Sitting] = []
    for kept in readings:
        if found and kept.at_us - found[-1].readings[-1].at_us <= SITTING_US:
            found[-1] = Sitting((*found[-1].readings, kept))
        else:
            found.append(Sitting((kept,)))
    return found


def highs(together: Sequence[Sitting], own: Mapping[str, float]) -> list[Stretch]:
    """160/100 or more, confirmed: in the mean of a sitting of two or more, or in two sittings within a day."""
    systolic, diastolic = limit(own, "bp_high_systolic_mmhg"), limit(own, "bp_high_diastolic_mmhg")
    found: list[Stretch] = []
    first: Sitting | None = None
    is_open = False
    for sitting in together:
        mean = sitting.mean
        is_high = mean[0] >= systolic or mean[1] >= diastolic
        if is_open:
            found[-1] = (
                _sat(found[-1], sitting) if is_high else _ended(found[-1], sitting.at_us, sitting.readings[-1].at_us)
            )
            is_open = is_high
            first = None
        elif not is_high:
            first = None
        elif len(sitting.readings) > 1 or (first is not None and sitting.at_us - first.at_us <= CONFIRMS_US):
            start = first if first is not None and sitting.at_us - first.at_us <= CONFIRMS_US else sitting
            found.append(_sat(_sitting(Condition.BP_HIGH, start), sitting))
            is_open = True
        else:
            first = sitting
    return found


def lows(together: Sequence[Sitting], own: Mapping[str, float]) -> list[Stretch]:
    """Systolic mean of a sitting below 90 mmHg, or 30 below what is usual of this patient; until a sitting lies above."""
    below, fall = limit(own, "bp_low_systolic_mmhg"), limit(own, "bp_fall_mmhg")
    found: list[Stretch] = []
    is_open = False
    for number, sitting in enumerate(together):
        mean = sitting.mean[0]
        usual = _usual(together[:number], sitting.at_us) if mean < FALLEN_BELOW_MMHG else None
        is_low = mean < below or (usual is not None and usual - mean >= fall)
        if is_open:
            found[-1] = (
                _sat(found[-1], sitting, min)
                if is_low
                else _ended(found[-1], sitting.at_us, sitting.readings[-1].at_us)
            )
        elif is_low:
            stretch = _sitting(Condition.BP_LOW, sitting)
            more: Evidence = {"usual_systolic_mmhg": usual} if usual is not None else {}
            found.append(replace(stretch, evidence={**stretch.evidence, **more}))
        is_open = is_low
    return found


def values(kept: Kept) -> tuple[float, float]:
    """Systolic and diastolic pressure of a valid reading."""
    systolic, diastolic = kept.reading.values[:2]
    return systolic or 0.0, diastolic or 0.0


def confidence(kept: Kept) -> float:
    """How far a reading is to be trusted, by what its device says of it."""
    return float(DOUBT ** len(DOUBTFUL & set(kept.reading.flags)))


def _repeated(
    readings: Sequence[Kept],
    own: Mapping[str, float],
    is_beyond: Callable[[Kept], bool],
    condition: Condition,
    unconfirmed: Condition | None,
    now_us: int,
) -> list[Stretch]:
    soonest, latest = (round(limit(own, f"bp_repeat_{name}_s") * SECOND) for name in ("min", "max"))
    worst = min if condition is Condition.BP_VERY_LOW else max
    found: list[Stretch] = []
    first: Kept | None = None
    is_open = False

    def asked(end_us: int | None, at_us: int) -> None:
        if unconfirmed is not None and first is not None:
            found.append(replace(_stretch(unconfirmed, first), end_us=end_us, at_us=at_us))

    for kept in readings:
        is_now = is_beyond(kept)
        if is_open:
            found[-1] = _worse(found[-1], kept, worst) if is_now else _ended(found[-1], kept.at_us, kept.at_us)
            is_open = is_now
        elif first is not None and is_now and kept.at_us - first.at_us < soonest:
            continue
        elif first is not None:
            end_us = min(kept.at_us, first.at_us + latest)
            asked(end_us, end_us)
            if is_now and kept.at_us - first.at_us <= latest:
                both = min(confidence(first), confidence(kept))
                found.append(replace(_worse(_stretch(condition, first), kept, worst), confidence=both))
                first, is_open = None, True
            else:
                first = kept if is_now else None
        elif is_now:
            first = kept
    if first is not None:
        expires_us = first.at_us + latest
        asked(None if now_us < expires_us else expires_us, first.at_us if now_us < expires_us else expires_us)
    return found


def _usual(before: Sequence[Sitting], at_us: int) -> float | None:
    week = [s.mean[0] for s in before if s.at_us >= at_us - USUAL_US]
    return sum(week) / len(week) if len(week) >= USUAL_LEAST else None


def _stretch(condition: Condition, kept: Kept) -> Stretch:
    systolic, diastolic = values(kept)
    return Stretch(
        condition=condition, stream=f"{kept.reading.device}/blood_pressure", opened=kept.opened, onset_us=kept.at_us,
        last_us=kept.at_us, at_us=kept.at_us, confidence=confidence(kept), matters=("systolic_mmhg", "diastolic_mmhg"),
        evidence={
            "device": kept.reading.device, "stream": "blood_pressure", "systolic_mmhg": systolic, "diastolic_mmhg": diastolic,
        },
    )  # fmt: skip


def _sitting(condition: Condition, sitting: Sitting) -> Stretch:
    first = _stretch(condition, sitting.readings[0])
    systolic, diastolic = (round(value, 1) for value in sitting.mean)
    trust = min(confidence(kept) for kept in sitting.readings)
    mean: Evidence = {"systolic_mmhg": systolic, "diastolic_mmhg": diastolic}
    last_us = sitting.readings[-1].at_us
    return replace(first, last_us=last_us, at_us=last_us, confidence=trust, evidence={**first.evidence, **mean})


def _worse(stretch: Stretch, kept: Kept, worst: Callable[[float, float], float] = max) -> Stretch:
    return _with(stretch, values(kept), kept.at_us, worst)


def _sat(stretch: Stretch, sitting: Sitting, worst: Callable[[float, float], float] = max) -> Stretch:
    systolic, diastolic = (round(value, 1) for value in sitting.mean)
    return _with(stretch, (systolic, diastolic), sitting.readings[-1].at_us, worst)


def _with(stretch: Stretch, pair: tuple[float, float], at_us: int, worst: Callable[[float, float], float]) -> Stretch:
    names = ("systolic_mmhg", "diastolic_mmhg")
    now: Evidence = {name: worst(float(stretch.evidence[name]), value) for name, value in zip(names, pair, strict=True)}
    return replace(stretch, last_us=at_us, at_us=at_us, evidence={**stretch.evidence, **now})


def _ended(stretch: Stretch, end_us: int, at_us: int) -> Stretch:
    return replace(stretch, end_us=end_us, at_us=at_us)

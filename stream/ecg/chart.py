"""The chart of one ECG lane: all that the detectors remember, as one row of plain numbers.

A chart is saved as its bytes and goes on from them bit for bit, so no detector may keep anything elsewhere.
`signal` starts afresh after a long gap or a restart; `clock`, `episodes` and
`burden` outlive a gap.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.ecg import atrial_course
from stream.ecg.atrial_chart import ATRIAL
from stream.ecg.classes_chart import BEAT_RING, CLASSES
from stream.ecg.fibrillation_chart import FIBRILLATION
from stream.ecg.filters import SECTIONS
from stream.ecg.marks import Quality
from stream.ecg.runs_chart import BURDEN, RUNS
from stream.ecg.ventricular_chart import VENTRICULAR

CHART_VERSION: Final = 3
"""Grows with every change of a dtype below."""

NEVER: Final = -(1 << 40)
"""An internal sample number long before any signal."""

RAW_RING: Final = 64  # raw samples behind the resampler's kernel (33 needed at 1000 Hz)
WAVE_RING: Final = 256  # internal samples of the wide band: a beat looks back 154
BAND_RING: Final = 128  # internal samples of a QRS band: a beat looks back 105
SLOPE_RING: Final = 25  # 100 ms: the window of the envelope
CREST_SPAN: Final = 8  # 32 ms, of which the highest envelope is kept
CREST_RING: Final = 16  # the last 0.5 s
LEARNED: Final = 8  # peaks, noise peaks and intervals that a threshold rests on
STRONG_BEATS: Final = 3  # that close together end asystole
LEVELS: Final = 8  # fifths of a second: a beat and the level before it
SHAPE: Final = 25  # points of a beat's shape: R -96 ms to +96 ms, 125 Hz
QUALITY_SECONDS: Final = 8
QUALITY_FEATURES: Final = 8
POWERS: Final = 4
EPISODES: Final = 24  # open episodes are addressed by condition number


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    return np.dtype(list(fields), align=True)


CLOCK: Final = _record(
    ("started", "u1"),  # a chunk was seen
    ("rate_hz", "f8"),  # latched at the start of the signal
    ("base", "i8"),  # raw index of internal sample 0
    ("next_index", "i8"),  # raw index expected next
    ("slow_bpm", "f4"),  # the patient's limits, as the newest chunk came with them
    ("fast_bpm", "f4"),
)
EPISODE: Final = _record(
    ("open", "u1"),
    ("first", "i8"),  # frozen index of the open (or last) episode
    ("onset", "i8"),
    ("closed", "i8"),  # last sample of the last episode: the next one begins after it
    ("value", "f4"),  # last value told
    ("confidence", "f4"),  # last confidence told
)
RESAMPLER: Final = _record(
    ("ring", "f4", (RAW_RING,)),
    ("missing", "u1", (RAW_RING,)),
    ("pushed", "i8"),  # raw samples since base
    ("made", "i8"),  # internal samples since base
    ("level", "f4"),  # last bridged value
    ("offset", "f4"),  # what is taken off every sample so that no gap ends in a step
    ("run", "i4"),  # raw samples missing up to now
)
TRACKER: Final = _record(
    ("band", "f4", (BAND_RING,)),
    ("slopes", "f4", (SLOPE_RING,)),
    ("slope_at", "i4"),
    ("slope_sum", "f8"),
    ("envelope", "f4"),
    ("crests", "f4", (CREST_RING,)),
    ("candidate", "i8"),  # internal sample of the highest envelope not yet settled, or NEVER
    ("height", "f4"),
    ("peaks", "f4", (LEARNED,)),
    ("peaks_n", "i4"),
    ("peaks_at", "i4"),
    ("noise", "f4", (LEARNED,)),
    ("noise_n", "i4"),
    ("noise_at", "i4"),
    ("intervals", "f4", (LEARNED,)),
    ("intervals_n", "i4"),
    ("intervals_at", "i4"),
    ("threshold", "f4"),
    ("peak", "f4"),  # median of peaks
    ("usual", "f4"),  # the same, when the last beat was
    ("floor", "f4"),  # median of noise
    ("interval", "f4"),  # median of intervals, samples
    ("learning", "i4"),  # seconds of start-up that are over
    ("learning_max", "f4"),
    ("last", "i8"),  # fiducial of the last beat
    ("last_slope", "f4"),
    ("last_height", "f4"),
    ("missed", "i8"),  # best peak since the last beat that was not believed: for the search back
    ("missed_height", "f4"),
    ("missed_likely", "f4"),  # its height, less where more was asked of it than the threshold
    ("missed_slope", "f4"),
    ("beats", "i8", (BEAT_RING,)),  # R of the last beats, internal samples
    ("count", "i8"),
)
SHAPES: Final = _record(
    ("template", "f4", (SHAPE,)),
    ("previous", "f4", (2, SHAPE)),  # of the last two beats
    ("candidate", "f4", (SHAPE,)),  # of the peak being judged
    ("doubtful", "f4", (SHAPE,)),  # of the tracker's `missed` peak
    ("doubtful_r", "i8"),
    ("learned", "i4"),  # beats in the template
    ("strangers", "i4"),  # beats in a row that resemble each other but not the template
    ("second", "f4", (SHAPE,)),  # template of the commonest other shape
    ("second_learned", "i4"),
    ("second_strangers", "i4"),  # beats like neither since one was last like it
)
RHYTHM: Final = _record(
    ("intervals", "f4", (BEAT_RING,)),  # seconds before the beat; 0 across a hole
    ("match", "f4", (BEAT_RING,)),  # correlation with the template
    ("dip", "f4", (BEAT_RING,)),  # lowest envelope since the beat before, over the median QRS
    ("lowest", "f4"),  # envelope since the last beat
    ("alternate", "f4", (BEAT_RING,)),  # likeness to the beat before the last, less that to the last
)
HOLE: Final = _record(
    ("begin", "i8"),
    ("end", "i8"),  # last internal sample that was missing
)
QUALITY: Final = _record(
    ("power", "f8", (POWERS,)),  # of this second: < 1, 0.5-40, 5-25, > 25 Hz; uV^2
    ("powers", "f4", (QUALITY_SECONDS, POWERS)),  # of the last seconds
    ("absent", "f4", (QUALITY_SECONDS,)),  # missing share of the last seconds
    ("seconds", "i8"),  # graded
    ("features", "f4", (QUALITY_FEATURES,)),
    ("wave", "f4"),  # log odds that the wave itself is unusable
    ("beats", "f4"),  # log odds that its beats are
    ("wave_bad", "u1"),
    ("grade", "u1"),
    ("told", "u1"),  # grade + 1 that was told last, 0 = none
    ("bad_for", "i4"),  # seconds
    ("fine_for", "i4"),
    ("bad_since", "i8"),
)
CONTACT: Final = _record(
    ("off", "u1"),  # the device's own bit
    ("low", "f4"),  # of this second
    ("high", "f4"),
    ("measured", "i4"),  # samples of this second that are not missing
    ("railed", "i4"),
    ("dead_for", "i4"),  # seconds of flat line or rail
    ("alive_for", "i4"),
)
SILENCE: Final = _record(
    ("loudest", "f4", (2,)),  # largest envelope of each tracker since shortly after the last beat
    ("usual", "f4", (2,)),  # first tracker's median QRS and second one's threshold, when that beat was
    ("strong", "i8", (STRONG_BEATS,)),  # R of the last beats that were no weaker than half of the usual
    ("loud_at", "i8"),  # internal sample at which either envelope was last too loud for a standstill
    ("level", "f8"),  # sum of the samples of this fifth of a second
    ("levels", "f4", (LEVELS,)),  # means of the last ones, uV
    ("low", "f4"),  # extremes of these means since shortly before the last beat
    ("high", "f4"),
    ("swung", "i8"),  # internal sample at which these were last further apart than a QRS is high
)
PACE: Final = _record(
    ("holds_for", "i4"),  # seconds that the rate is beyond its limit
    ("since", "i8"),
    ("gone_for", "i4"),
)
RATES: Final = _record(
    ("extreme_slow", PACE),
    ("extreme_fast", PACE),
    ("raised", PACE),
)
SIGNAL: Final = _record(
    ("resampler", RESAMPLER),
    ("sections", "f8", (SECTIONS, 2)),
    ("wide", "f4", (WAVE_RING,)),  # 0.5-40 Hz
    ("hole", HOLE),
    ("first", TRACKER),
    ("other", TRACKER),
    ("shapes", SHAPES),
    ("rhythm", RHYTHM),
    ("quality", QUALITY),
    ("contact", CONTACT),
    ("fibrillation", FIBRILLATION),
    ("ventricular", VENTRICULAR),
    ("silence", SILENCE),
    ("rates", RATES),
    ("classes", CLASSES),
    ("runs", RUNS),
    ("atrial", ATRIAL),
)
ECG_CHART: Final = _record(
    ("clock", CLOCK),
    ("episodes", EPISODE, (EPISODES,)),
    ("burden", BURDEN),
    ("signal", SIGNAL),
)
"""State of one lane."""


@cache
def _fresh() -> NDArray[Any]:
    row = np.zeros(1, ECG_CHART)
    signal = row["signal"]
    for tracker in ("first", "other"):
        for field in ("candidate", "last", "missed"):
            signal[tracker][field] = NEVER
        signal[tracker]["beats"] = NEVER
        signal[tracker]["interval"] = 200  # 0.8 s, until intervals are known
    signal["silence"]["strong"] = NEVER
    signal["silence"]["swung"] = signal["silence"]["loud_at"] = NEVER
    signal["hole"]["begin"] = signal["hole"]["end"] = NEVER
    signal["quality"]["grade"] = Quality.FAIR
    atrial_course.begin(signal["atrial"])
    row["episodes"]["closed"] = -1
    row["episodes"]["first"] = -1
    return row


def new_charts(n: int) -> NDArray[Any]:
    """`n` charts that have seen nothing, shape (n,)."""
    return np.repeat(_fresh(), n)

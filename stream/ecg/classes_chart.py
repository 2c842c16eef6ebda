"""What is remembered of the classes of a lane's beats. Part of the chart: plain numbers only.

Waves are kept at 125 Hz or less as int16, in quarters of a microvolt where they are averages.
"""

from typing import Any, Final

import numpy as np

BEAT_RING: Final = 32
"""Beats of the last 10 s at 180 a minute: the rings of a lane's beats have this many places, the same beat at the same place."""

TEMPLATES: Final = 8  # shapes of the patient's beats that are told apart
STRIP: Final = 84  # points of a beat at 125 Hz: R -304 ms to +360 ms
QRS: Final = 27  # R -104 ms to +104 ms at 125 Hz
LOW: Final = 25  # R -192 ms to +192 ms below 8 Hz, at 62.5 Hz
T_WAVE: Final = 15  # R +96 ms to +320 ms, the same
P_WAVE: Final = 20  # R -224 ms to -72 ms at 125 Hz
SMOOTH: Final = 36  # R -240 ms to +320 ms below 8 Hz, at 62.5 Hz
FEATURES: Final = 62
OWN: Final = 18  # features on the patient's own scale
INPUTS: Final = FEATURES + OWN
HISTORY: Final = 16
INTERVALS: Final = 50
INTERVAL_FEATURES: Final = 29


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    return np.dtype(list(fields), align=True)


DECIDED: Final = _record(
    ("r", "i8"),  # internal sample of its R peak
    ("before", "f4"),  # seconds since the beat before; 0: unknown
    ("after", "f4"),  # seconds to the next one, or how long it was waited for
    ("p_v", "f4"),  # probabilities
    ("p_s", "f4"),
    ("beat", "u1"),  # BeatClass
    ("grade", "u1"),  # Quality when it was decided
    ("place", "i4"),  # in the rings
)
"""The beat that was classed last: what runs, rhythm and burdens go by."""

BEAT: Final = _record(
    ("r", "i8"),  # internal sample of its R peak
    ("wave", "i2", (STRIP,)),  # uV
    ("noise", "f4"),  # mean curvature between beats, uV
    ("spike", "f4"),  # greatest curvature near R, uV
    ("spike_at", "f4"),  # ms after R
    ("contrast", "f4"),  # log ratio of that to the greatest curvature away from it
    ("height", "f4"),  # of the QRS envelope, uV
)
"""One beat's wave, taken when it was found."""

TEMPLATE: Final = _record(
    ("qrs", "i2", (QRS,)),
    ("low", "i2", (LOW,)),
    ("t_wave", "i2", (T_WAVE,)),
    ("p_wave", "i2", (P_WAVE,)),
    ("count", "f4"),  # beats, forgetting
    ("premature", "f4"),  # share of them that came early
    ("width", "f4"),  # ms
    ("swing", "f4"),  # uV
    ("area", "f4"),
    ("slope", "f4"),
    ("sharp", "f4"),
    ("p_energy", "f4"),
    ("sign", "f4"),
    ("interval", "f4"),  # before its beats on time, seconds
    ("spike", "f4"),  # log ratio of its sharpest point to the rest of it
    ("active", "f4"),  # ms
    ("logit", "f4"),  # mean of its beats' first verdicts
    ("judged", "f4"),  # of so many, forgetting
)
"""One shape of the patient's beats."""

PAST: Final = _record(
    ("logits", "f4", (3,)),  # first verdicts of the last beats, newest first
    ("mean", "f4"),
    ("spread", "f4"),
    ("unsure", "f4"),
    ("ventricular", "f4"),
    ("count", "i4"),
)
"""First verdicts of the patient so far."""

RHYTHM_PAST: Final = _record(
    ("intervals", "f4", (INTERVALS,)),  # seconds, without those next to a V
    ("sorted", "f4", (INTERVALS,)),  # the same, in order of size
    ("n", "i4"),
    ("at", "i4"),
    ("last", "f4", (4,)),  # the last intervals whatever they were, newest first
    ("seen", "i4"),
    ("slow", "f4"),
    ("brisk", "f4"),
    ("upper", "f4"),  # quartiles of some 200 beats
    ("lower", "f4"),
    ("since_onset", "i4"),  # beats since a sudden onset; -1: none
    ("before_onset", "f4"),
    ("onset", "f4"),
    ("ventricular", "u2"),  # one bit for each of the last beats, newest lowest
)
"""Intervals as the judgement of S sees them."""

CLASSES: Final = _record(
    ("decided", DECIDED),
    ("waiting", "u1"),  # a beat waits for the next one, or the time-out
    ("place", "i4"),  # its place in the rings
    ("p_v", "f4", (BEAT_RING,)),
    ("beat", "u1", (BEAT_RING,)),
    ("pending", BEAT),
    ("doubtful", BEAT),  # the peak that a search back may still believe
    ("smooth", "f4", (SMOOTH,)),
    ("previous", "i2", (2, QRS)),  # of the last two beats
    ("previous_n", "i4"),
    ("templates", TEMPLATE, (TEMPLATES,)),
    ("templates_n", "i4"),
    ("dominant", "i4"),
    ("nearest", "i4"),  # template most like the beat
    ("is_new", "u1"),  # none is like it
    ("shift", "i4"),  # points by which it lies off its template
    ("slow", "f4"),  # slow mean of the intervals, seconds
    ("slow_n", "i4"),
    ("inputs", "f4", (INPUTS + HISTORY,)),  # features, the same on the own scale, history
    ("centre", "f4", (OWN,)),
    ("spread", "f4", (OWN,)),
    ("scaled_n", "i4"),
    ("past", PAST),
    ("rhythm", RHYTHM_PAST),
    ("interval_features", "f4", (INTERVAL_FEATURES,)),
)

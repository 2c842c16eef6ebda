"""What goes into the ECG kernels and what comes out: rows of work, rows of marks.

All indices are raw samples of the device session; an index never names an internal sample.
"""

from enum import IntEnum

import numpy as np

MISSING = -32768
"""The int16 sample value that stands for "not measured"."""


class Mark(IntEnum):
    """What a row of marks says."""

    BEAT = 1
    """A heart beat: `index` is its R peak, `value` the interval before it in seconds (0: unknown), `confidence` whether it is
    of the patient's own shape after a rest; its class comes later."""
    OPEN = 2
    """A condition became true: `index` is frozen and, with the condition, names the episode."""
    UPDATE = 3
    """An open condition has a better onset or a worse value."""
    CLOSE = 4
    """A condition ended: `index` is its last sample."""
    QUALITY = 5
    """The signal's grade changed: `value` is a `Quality`, `index` where the graded second began."""
    CLASS = 6
    """A beat told before was classed, once for each, in order: `index` is its R peak, `value` the probability of V,
    `second` of S, `beat` the class."""
    BURDEN = 7
    """Of the stretch of signal that began with `index`: of `second` beats `value` were of the class `beat`; or, where
    `condition` is AF, of `second` seconds `value`. Three rows a stretch: V, S, AF."""


class EcgCondition(IntEnum):
    """Conditions that one lane can show. Numbers are stored: append, never renumber."""

    NONE = 0
    """Beats and grades of quality belong to no condition."""
    VF = 1
    """Ventricular fibrillation, flutter or a fast ventricular tachycardia that looks like it; `value` TCSC, `second` leakage."""
    ASYSTOLE = 2
    """Four seconds without a beat on a lead that is attached, with confidence 0.5 from 3.5 s on; `value` seconds since the
    last beat."""
    PAUSE = 3
    """Two seconds or more between beats; `value` the seconds so far, on CLOSE the whole interval."""
    BRADY = 4
    """Below 40 a minute over five beats, with confidence 0.5 nearly so; `value` the rate."""
    EXTREME_BRADY = 5
    """Below 30 a minute for ten seconds; `value` the rate."""
    TACHY = 6
    """Above 140 a minute over 17 beats, or above 130 for ten minutes, with confidence 0.5 nearly so; `value` the rate."""
    EXTREME_TACHY = 7
    """At 180 a minute or more for ten seconds; `value` the rate."""
    NOISE = 8
    """The signal was BAD for a minute: nothing can be judged, check the electrode; `value` seconds."""
    LEAD_OFF = 9
    """The electrode is off: the device says so, or the line is flat or at the rail."""
    VT = 10
    """Five V beats or more at 120 a minute or faster, or a window that looks like it; `value` the rate."""
    VT_SUSTAINED = 11
    """VT for 30 s, or at 150 a minute or faster for ten; `value` the rate."""
    NSVT = 12
    """Three or four V beats in a row at 100 a minute or faster; `value` the rate."""
    COUPLET = 13
    """Two V beats in a row, or a run of them below 100 a minute; `value` the rate, `second` the beats of the longest."""
    BIGEMINY = 14
    """Every other beat is V; `value` beats so far."""
    TRIGEMINY = 15
    """Every third beat is V; `value` beats so far."""
    AF = 16
    """Atrial fibrillation, confirmed over 64 beats; `value` the score (log odds), `second` the rate."""
    AF_POSSIBLE = 17
    """Atrial fibrillation proposed by 32 beats, told where it ended, or lasts five minutes, unconfirmed; `value` seconds."""
    AFLUTTER = 18
    """Atrial flutter whose block steps; `value` the ventricular rate, `second` the atrial one."""
    SVT = 19
    """Regular tachycardia of narrow beats at 150 a minute or more; `value` the rate."""
    V_BURDEN = 20
    """More than a tenth of the beats of an hour are V; `value` the share in percent."""
    ECTOPY = 21
    """Ectopic beats, V or S, are frequent within an hour; `value` the share in percent."""
    PACED = 22
    """A pacemaker paces; `value` the share of paced beats in percent."""


class Quality(IntEnum):
    """Grade of the last seconds of signal."""

    GOOD = 0
    """Beats can be trusted."""
    FAIR = 1
    """Beats are mostly right; also the grade of the first seconds, before anything is known."""
    BAD = 2
    """Cannot judge: no alarm is made of beats."""


class BeatClass(IntEnum):
    """AAMI class of a beat."""

    N = 0
    """Normal, or not yet told apart."""
    S = 1
    """Supraventricular ectopic."""
    V = 2
    """Ventricular ectopic."""
    Q = 3
    """Cannot be classed: the signal was BAD."""
    PACED = 4
    """Made by a pacemaker."""


WORK = np.dtype(
    [
        ("slot", "i4"),  # row of the chart
        ("first", "i4"),  # where the chunk begins in the samples array
        ("count", "i4"),  # samples in the chunk
        ("index", "i8"),  # number of its first sample in the device session
        ("rate_hz", "f8"),
        ("restart", "u1"),  # 1: a new device session begins with this chunk
        ("contact", "u1"),  # 1: electrode on, 0: off
        ("slow_bpm", "f4"),  # the patient's own limits of BRADY and TACHY; 0: the usual ones
        ("fast_bpm", "f4"),
    ],
    align=True,
)
"""One chunk of consecutive samples of one lane. Order is the caller's: `index` never goes back in a session."""

MARK = np.dtype(
    [
        ("slot", "i4"),
        ("work", "i4"),  # the row of work that produced it
        ("kind", "u1"),  # Mark
        ("condition", "u1"),  # EcgCondition
        ("index", "i8"),
        ("onset", "i8"),  # best estimate so far, never after `index`
        ("decided", "i8"),  # newest sample that the rule had seen
        ("value", "f4"),
        ("second", "f4"),
        ("confidence", "f4"),  # 0 to 1
        ("beat", "u1"),  # BeatClass
    ],
    align=True,
)
"""One thing that a lane has to say."""

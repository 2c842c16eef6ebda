"""The features most telling of one patient, on that patient's own scale: how unusual a beat is for this heart."""

import math
from typing import Final

import numpy as np

from stream.ecg import classes_features as of
from stream.ecg.classes_chart import FEATURES, OWN
from stream.ecg.kernel import Record, kernel

# fmt: off
SCALED: Final = np.array([
    of.ALIKE, of.ALIKE_LOW, of.DIFFERENCE, of.SWING_, of.WIDTH_, of.AREA_, of.SLOPE_, of.SHARP_, of.T_ALIKE, of.T_DIFFERENCE,
    of.T_MEAN_, of.P_ALIKE, of.P_DIFFERENCE, of.P_ENERGY_, of.P_SLOPE, of.P_SWING, of.ACTIVITY, of.ALIKE_1,
])
# fmt: on
_LARGEST: Final = 12.0
_FIRST: Final = 5  # beats that teach whatever their template
_SLOWEST: Final = 0.015
_EARLY: Final = math.log(0.88)


@kernel
def compare(classes: Record) -> None:
    """Fill in distances from the running mean of the patient's dominant beats, in running deviations (signed square root).

    Then learn from this beat, if it is a dominant one.
    """
    f = classes.inputs
    for i in range(OWN):
        x = f[SCALED[i]]
        if classes.scaled_n == 0:
            classes.centre[i] = x
            classes.spread[i] = 0.3 + 0.1 * abs(x)
        z = min(max((x - classes.centre[i]) / (1.25 * classes.spread[i] + 0.02), -_LARGEST), _LARGEST)
        f[FEATURES + i] = math.copysign(math.sqrt(abs(z)), z)
    if not f[of.IS_DOMINANT] and classes.scaled_n >= _FIRST:
        return
    classes.scaled_n += 1
    share = max(_SLOWEST, 1.0 / (classes.scaled_n + 3))
    if f[of.RP_M10] < _EARLY:
        share *= 0.4
    for i in range(OWN):
        off = f[SCALED[i]] - classes.centre[i]
        most = 3.0 * classes.spread[i]
        classes.centre[i] += share * min(max(off, -most), most)
        classes.spread[i] += share * (min(abs(off), most) - classes.spread[i])

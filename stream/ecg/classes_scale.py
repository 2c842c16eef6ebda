"""From features to what the models see: products, and the features most telling of one patient on that patient's own scale."""

import math
from typing import Final

import numpy as np

from stream.ecg import classes_features as of
from stream.ecg.classes_chart import FEATURES, OWN, PRODUCTS
from stream.ecg.kernel import Record, Samples, kernel

# fmt: off
SCALED: Final = np.array([
    of.ALIKE, of.ALIKE_LOW, of.DIFFERENCE, of.SWING_, of.WIDTH_, of.AREA_, of.SLOPE_, of.SHARP_, of.T_ALIKE, of.T_DIFFERENCE,
    of.T_MEAN_, of.P_ALIKE, of.P_DIFFERENCE, of.P_ENERGY_, of.P_SLOPE, of.P_SWING, of.ACTIVITY, of.ALIKE_1,
])
# fmt: on
(_ALIKE, _, _DIFFERENCE, _SWING, _WIDTH, _, _, _, _, _T_DIFFERENCE, _, _P_ALIKE, _P_DIFFERENCE) = range(13)
_PRODUCTS_AT: Final = FEATURES
_OWN_AT: Final = FEATURES + PRODUCTS
_CONTRASTS_AT: Final = FEATURES + PRODUCTS + OWN
_LARGEST: Final = 12.0
_FIRST: Final = 5  # beats that teach whatever their template
_SLOWEST: Final = 0.015
_EARLY: Final = math.log(0.88)


@kernel
def combine(classes: Record) -> None:
    """Fill in products, own scale and contrasts of the beat whose features are there."""
    f = classes.inputs
    early = max(-f[of.RP_M10], 0.0)
    late = max(f[of.RN_M10], 0.0)
    wide = max(f[of.WIDTH_], 0.0)
    f[_PRODUCTS_AT + 0] = f[of.RP_M10] * f[of.ALIKE]
    f[_PRODUCTS_AT + 1] = f[of.RP_M10] * f[of.DIFFERENCE]
    f[_PRODUCTS_AT + 2] = f[of.ALIKE] * f[of.SHARE]
    f[_PRODUCTS_AT + 3] = early
    f[_PRODUCTS_AT + 4] = late
    f[_PRODUCTS_AT + 5] = early * late
    f[_PRODUCTS_AT + 6] = wide * f[of.DIFFERENCE]
    f[_PRODUCTS_AT + 7] = f[of.CV10] * f[of.RP_M10]
    f[_PRODUCTS_AT + 8] = f[of.CV10] * f[of.ALIKE]
    f[_PRODUCTS_AT + 9] = wide
    f[_PRODUCTS_AT + 10] = f[of.SLOPE_] * f[of.WIDTH_]
    f[_PRODUCTS_AT + 11] = abs(f[of.SWING_])
    f[_PRODUCTS_AT + 12] = f[of.SHARE_DOMINANT] * f[of.ALIKE]
    f[_PRODUCTS_AT + 13] = abs(f[of.P_SHIFT])
    f[_PRODUCTS_AT + 14] = abs(f[of.T_MEAN_])
    f[_PRODUCTS_AT + 15] = f[of.ALIKE_1] * f[of.ALIKE]
    f[_PRODUCTS_AT + 16] = max(f[of.DIFFERENCE], -1.5)
    f[_PRODUCTS_AT + 17] = min(f[of.ALIKE], 1.3)
    z = f[_OWN_AT : _OWN_AT + OWN]
    _own(classes, z)
    unlike = math.sqrt(max(z[_DIFFERENCE], 0.0))
    f[_CONTRASTS_AT + 0] = max(-z[_ALIKE], 0.0)
    f[_CONTRASTS_AT + 1] = max(z[_DIFFERENCE], 0.0)
    f[_CONTRASTS_AT + 2] = max(abs(z[_SWING]) - 2.0, 0.0)
    f[_CONTRASTS_AT + 3] = max(z[_WIDTH] - 2.0, 0.0)
    f[_CONTRASTS_AT + 4] = max(z[_P_DIFFERENCE] - 1.5, 0.0)
    f[_CONTRASTS_AT + 5] = unlike * math.sqrt(max(-z[_P_ALIKE], 0.0))
    f[_CONTRASTS_AT + 6] = unlike * math.sqrt(max(z[_T_DIFFERENCE], 0.0))
    for i in range(OWN):
        z[i] = math.copysign(math.sqrt(abs(z[i])), z[i])


@kernel
def _own(classes: Record, z: Samples) -> None:
    """Distance from the running mean of the patient's dominant beats, in running deviations; then learn from this one."""
    f = classes.inputs
    for i in range(OWN):
        x = f[SCALED[i]]
        if classes.scaled_n == 0:
            classes.centre[i] = x
            classes.spread[i] = 0.3 + 0.1 * abs(x)
        z[i] = min(max((x - classes.centre[i]) / (1.25 * classes.spread[i] + 0.02), -_LARGEST), _LARGEST)
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

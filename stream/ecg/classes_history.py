"""The patient's own first verdicts as features of the second one: what its shape and its neighbours were taken for."""

import math
from typing import Final

from stream.ecg.classes_chart import INPUTS
from stream.ecg.kernel import Record, kernel

_BOUND: Final = 6.0
_UNSURE: Final = 1.5
_FORGET: Final = 0.996  # a beat
_KNOWN: Final = 0.5  # verdicts on a template
_SHORT: Final = 50  # beats in which the averages follow faster


@kernel
def fill(classes: Record, logit: float) -> None:
    """Fill in the history for a beat with this first verdict, before it is learned."""
    past = classes.past
    h = classes.inputs[INPUTS:]
    logit = min(max(logit, -_BOUND), _BOUND)
    judged = 0.0
    if past.count == 0:
        past.mean = -3.0
        past.spread = 1.0
        past.logits[:] = -3.0
    mean = logit
    if classes.templates_n and not classes.is_new:
        judged = classes.templates[classes.nearest].judged
        if judged > _KNOWN:
            mean = classes.templates[classes.nearest].logit
    h[0] = logit
    h[1] = mean
    h[2] = math.log(1.0 + judged)
    h[3] = past.logits[0]
    h[4] = past.logits[1]
    h[5] = past.mean
    h[6] = past.spread
    h[7] = past.unsure
    h[8] = past.ventricular
    h[9] = logit - past.mean
    h[10] = mean - past.mean
    h[11] = max(past.logits[0], past.logits[1])
    h[12] = mean * min(judged, 10.0) / 10.0 if judged > _KNOWN else 0.0
    h[13] = past.logits[2]
    h[14] = mean * math.tanh(h[2])
    h[15] = logit * past.unsure


@kernel
def learn(classes: Record, logit: float) -> None:
    """Take a first verdict into the memory, once the beat has its template."""
    past = classes.past
    logit = min(max(logit, -_BOUND), _BOUND)
    for i in range(classes.templates_n):
        classes.templates[i].judged *= _FORGET
    template = classes.templates[classes.nearest]
    if classes.is_new:
        template.judged = 0.0
    template.judged += 1.0
    template.logit += max(0.04, 1.0 / template.judged) * (logit - template.logit)
    past.count += 1
    share = 0.02 if past.count > _SHORT else 0.1
    past.mean += share * (logit - past.mean)
    past.spread += share * (abs(logit - past.mean) - past.spread)
    past.unsure += share * ((1.0 if abs(logit) < _UNSURE else 0.0) - past.unsure)
    past.ventricular += share * ((1.0 if logit > 0.0 else 0.0) - past.ventricular)
    past.logits[2] = past.logits[1]
    past.logits[1] = past.logits[0]
    past.logits[0] = logit

"""The limits that the detector judges by: defaults with their source, and a patient's own laid over them.

Names are shared with `alerts.plan`, which guards what a person may set; here a name that is unknown or missing falls back to the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULTS: Mapping[str, float] = {
    # Whelton 2018 (ACC/AHA), section 11.2: hypertensive crisis above 180 and/or 120 mmHg.
    "bp_crisis_systolic_mmhg": 180.0,
    "bp_crisis_diastolic_mmhg": 120.0,
    # A crisis is repeated when the second measurement follows within this time (detection.md).
    "bp_repeat_min_s": 60.0,
    "bp_repeat_max_s": 900.0,
    # alerting.md, "Defaults of silence".
    "no_data_s": 60.0,
    # log.md, "Late is not silent": older than this, and shown to have ended, is past.
    "late_s": 600.0,
}
"""Name, value. Units are in the name."""


def limit(own: Mapping[str, float], name: str) -> float:
    """A patient's limit.

    Raises:
        KeyError: `name` is no limit of ours.
    """
    return own.get(name, DEFAULTS[name])

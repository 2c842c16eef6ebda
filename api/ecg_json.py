"""ECG as the pages are given it: base64 of int16 little-endian microvolts, -32768 where there is no sample.

Must never fill a gap: a sample that is not there says so.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alerts.strip_svg import Tracing


def i16le(samples: NDArray[np.int16]) -> str:
    """Microvolts, shape (n,)."""
    return base64.b64encode(samples.astype("<i2").tobytes()).decode()


def of_tracing(tracing: Tracing) -> dict[str, Any]:
    """The thirty seconds around an onset."""
    return {
        "at": tracing.from_at,
        "seconds": len(tracing.samples) / tracing.rate_hz,
        "rate_hz": tracing.rate_hz,
        "lead": tracing.lead,
        "onset_s": tracing.onset_s,
        "end_s": tracing.end_s,
        "is_of_lead": tracing.is_of_lead,
        "i16le": i16le(tracing.samples),
    }

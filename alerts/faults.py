"""A fault of ours as a log may show it: which kind, and where; never its text, which may hold somebody's values."""

from __future__ import annotations

import traceback
from pathlib import Path

_INNERMOST = 4


def where(error: BaseException) -> dict[str, str]:
    """`error` and `where` for a line of the log: `listening.py:103 taken < ...`, the innermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-_INNERMOST:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)]
    return {"error": type(error).__name__, "where": " < ".join(places)}

"""A WFDB recording as a device would have sent it: chosen ECG leads in int16 microvolts, cut into chunks.

For replay, tests and the simulators. Signals that are no ECG are left out and named, never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MISSING: Final = -32768
"""Sample that was not measured."""

_FULL_SCALE_UV: Final = 32767
_MICROVOLTS: Final = {"v": 1e6, "mv": 1e3, "uv": 1.0, "µv": 1.0, "nv": 1e-3}
_ECG_NAME: Final = re.compile(
    r"(I{1,3}|ML(I{1,3}|[1-6])|MCL[1-6]?|[CM]?V[1-9]?R?|AV[RLF]|CM[2-5]|CC5|E[CK]G.*|LEAD.*)([ _+-].*)?", re.IGNORECASE
)
"""Names of ECG leads in PhysioNet's collections and in devices' exports."""


class BadRecord(ValueError):
    """The recording cannot be read as ECG; the message names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One lead of a recording."""

    name: str
    samples: NDArray[np.int16]
    """Microvolts, shape (n,); MISSING where nothing was measured."""
    clipped: int
    """Samples beyond +-32.767 mV, held at that value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording's ECG leads, all of the same length and rate."""

    name: str
    rate_hz: float
    start: datetime | None
    """UTC instant of the first sample, where the header has one (WFDB states no zone: taken as UTC)."""
    leads: tuple[Lead, ...]
    skipped: tuple[str, ...]
    """Signals left out, each with its reason."""


def open_record(path: str | Path, lead: str | None = None) -> Recording:
    """Read a WFDB record (path without suffix, or its .hea or .dat).

    `lead` None: the first ECG lead; "all": every one; otherwise the lead of that name.
    """
    import wfdb

    stem = Path(path).with_suffix("") if Path(path).suffix in {".hea", ".dat"} else Path(path)
    if not stem.with_suffix(stem.suffix + ".hea").is_file():
        message = f"{stem}.hea does not exist: give the path of a WFDB record, without suffix"
        raise BadRecord(message)
    try:
        record: Any = wfdb.rdrecord(str(stem))
    except Exception as error:
        message = (
            f"{stem} cannot be read ({type(error).__name__}: {error}): check that its .hea and .dat belong together"
        )
        raise BadRecord(message) from error
    return _recording(stem, record, lead)


def _recording(stem: Path, record: Any, wanted: str | None) -> Recording:
    if record.p_signal is None or not record.sig_name:
        message = f"{stem} holds no signals: give a record with at least one ECG lead"
        raise BadRecord(message)
    leads: list[Lead] = []
    skipped: list[str] = []
    for column, (name, unit) in enumerate(zip(record.sig_name, record.units, strict=True)):
        scale = _MICROVOLTS.get(str(unit).strip().lower())
        if wanted not in {None, "all"} and name.lower() != str(wanted).lower():
            skipped.append(f"{name}: not asked for")
        elif not _ECG_NAME.fullmatch(name.strip()) and name != wanted:
            skipped.append(f"{name}: not the name of an ECG lead")
        elif scale is None:
            skipped.append(f"{name}: unit {unit} is no voltage")
        elif wanted is None and leads:
            skipped.append(f"{name}: the first lead was asked for")
        else:
            leads.append(_lead(name, record.p_signal[:, column] * scale))
    if not leads:
        what = "ECG lead" if wanted in {None, "all"} else f"lead {wanted}"
        message = f"{stem} has no {what} ({'; '.join(skipped)}): choose one by its name"
        raise BadRecord(message)
    start = record.base_datetime
    return Recording(
        name=stem.name,
        rate_hz=float(record.fs),
        start=start.replace(tzinfo=UTC) if start else None,
        leads=tuple(leads),
        skipped=tuple(skipped),
    )


def _lead(name: str, microvolts: NDArray[np.float64]) -> Lead:
    missing = ~np.isfinite(microvolts)
    rounded = np.round(np.where(missing, 0.0, microvolts))
    beyond = np.abs(rounded) > _FULL_SCALE_UV
    samples = np.clip(rounded, -_FULL_SCALE_UV, _FULL_SCALE_UV).astype(np.int16)
    samples[missing] = MISSING
    return Lead(name=name, samples=samples, clipped=int(beyond.sum()))


def chunks(recording: Recording, lead: Lead, seconds: float) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """(index, samples) of consecutive chunks of about so many seconds; the last one may be shorter."""
    step = max(1, round(seconds * recording.rate_hz))
    for index in range(0, lead.samples.size, step):
        yield index, lead.samples[index : index + step]

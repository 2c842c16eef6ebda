"""A stretch of ECG as files that other programs read: WFDB (format 16, with annotations) and EDF+. Pure.

Samples are those of the archive. A gap is WFDB's missing value; EDF+ has none, so there it is annotated as "no signal",
and its samples are the least value. Must never hold a name.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from stream.recording import MISSING

if TYPE_CHECKING:
    from alerts.stretches import Stretch

NAME = "ecg"
_CODES = {"N": 1, "V": 5, "S": 9, "P": 12, "Q": 13}
"""Of beats in annotation files (WFDB's ecgcodes.h)."""
_LONGEST, _SKIP = 1023, 59
_RECORD_S = 1.0


def wfdb_zip(found: Stretch) -> bytes:
    """A zip of the record `ecg`: header, samples, and `ecg.atr` where beats are known."""
    first = found.from_at.astimezone(UTC)
    known = found.samples.astype("<i2")
    header = (
        f"{NAME} 1 {found.rate_hz:g} {known.size} {first:%H:%M:%S.%f} {first:%d/%m/%Y}\n"
        f"{NAME}.dat 16 1000(0)/mV 16 0 {known[0]} {_checksum(known)} 0 {_word(found.lead)}\n"
        "# Tierwatch. Not from a cleared medical device. Times are UTC.\n"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr(f"{NAME}.hea", header)
        made.writestr(f"{NAME}.dat", known.tobytes())
        if found.beats:
            made.writestr(f"{NAME}.atr", beat_marks(found))
    return packed.getvalue()


def beat_marks(found: Stretch) -> bytes:
    """The beats in MIT format: 6 bits of code, 10 of samples since the one before; a longer way is a skip before it."""
    words: list[int] = []
    last = 0
    for beat in found.beats:
        at = round(beat.at_s * found.rate_hz)
        step, last = at - last, at
        if step > _LONGEST:
            words += [_SKIP << 10, step >> 16, step & 0xFFFF]
            step = 0
        words.append(_CODES[beat.kind] << 10 | step)
    return np.array([*words, 0], "<u2").tobytes()


def edf(found: Stretch) -> bytes:
    """EDF+C: whole seconds, the last filled up as a gap; beats and gaps are annotations.

    Raises:
        ValueError: no whole number of samples fits a second, or the date is none that EDF+ can say.
    """
    from edfio import Edf, EdfAnnotation, EdfSignal, Patient, Recording

    if found.rate_hz != round(found.rate_hz):
        raise ValueError(f"{found.rate_hz:g} samples a second: EDF+ needs a whole number of them")
    per_record = round(found.rate_hz * _RECORD_S)
    whole = np.full(-(-found.samples.size // per_record) * per_record, MISSING, np.int16)
    whole[: found.samples.size] = found.samples
    signal = EdfSignal.from_digital(
        whole, found.rate_hz, label=f"ECG {_word(found.lead)}"[:16], physical_dimension="uV",
        physical_range=(-32768, 32767), digital_range=(-32768, 32767),
    )  # fmt: skip
    first = found.from_at.astimezone(UTC)
    told = [EdfAnnotation(round(a, 4), round(b - a, 4), "no signal") for a, b in found.gaps()]
    told += [EdfAnnotation(round(beat.at_s, 4), None, f"beat {beat.kind}") for beat in found.beats]
    made = Edf(
        [signal],
        patient=Patient(code=_word(found.patient)),
        recording=Recording(startdate=first.date(), equipment_code=_word(found.device)),
        starttime=first.time(),
        data_record_duration=_RECORD_S,
        annotations=told,
    )
    return made.to_bytes()


def _checksum(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> int:
    """Sum of the samples in 16 bits, signed, as WFDB has it."""
    return ((int(samples.astype(np.int64).sum()) + 32768) & 0xFFFF) - 32768


def _word(text: str) -> str:
    """Printable ASCII without spaces, which both formats part their fields by."""
    return "".join(one if "!" <= one <= "~" else "_" for one in text)[:40] or "X"

"""What annotators say of a recording: beats, rhythm changes, fibrillation between brackets (WFDB annotation files).

Pure but for `read`. Symbols are WFDB's, classes AAMI's; must never take a flutter wave (`!`) for a beat.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.validation.spans import in_force, merged

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from alerts.validation.spans import Span

CLASS_OF: dict[str, str] = {
    symbol: group
    for group, symbols in {"N": "NLRBejn", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"}.items()
    for symbol in symbols
}
"""AAMI EC57's class of each WFDB beat symbol; what is not here is no beat."""
CLASSES = "NSVFQ"
EXTENSION = "atr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """Annotations of one recording, in order of time."""

    rate_hz: float
    length: int
    """Samples of the recording."""
    sample: NDArray[np.int64]
    symbol: NDArray[np.str_]
    text: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.length / self.rate_hz

    def beats(self) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        """Samples of the beats, and their AAMI classes."""
        symbols = self.beat_symbols()
        return self.sample[self._is_beat()], np.array([CLASS_OF[s] for s in symbols.tolist()], dtype="U1")

    def beat_symbols(self) -> NDArray[np.str_]:
        """Their symbols as WFDB has them."""
        return self.symbol[self._is_beat()]

    def _is_beat(self) -> NDArray[np.bool_]:
        return np.isin(self.symbol, list(CLASS_OF))

    def rhythms(self) -> tuple[tuple[float, float, str], ...]:
        """(start, end, label) in seconds of every annotated rhythm; the label without its bracket, as `AFIB`."""
        changes = [
            (int(at), text[1:])
            for at, symbol, text in zip(self.sample, self.symbol, self.text, strict=True)
            if symbol == "+" and text.startswith("(")
        ]
        return in_force(changes, self.rate_hz, self.length)

    def in_rhythm(self, *labels: str) -> list[Span]:
        """Where one of the rhythms is in force."""
        return merged((start, end) for start, end, label in self.rhythms() if label in labels)

    def bracketed(self) -> list[tuple[int, int]]:
        """`[` to `]` in samples: fibrillation or flutter, where no beats are marked; one left open runs to the end."""
        found: list[tuple[int, int]] = []
        start: int | None = None
        for at, symbol in zip(self.sample.tolist(), self.symbol.tolist(), strict=True):
            if symbol == "[" and start is None:
                start = at
            elif symbol == "]" and start is not None:
                found.append((start, at))
                start = None
        return found if start is None else [*found, (start, self.length)]


def read(stem: Path, rate_hz: float, length: int, extension: str = EXTENSION) -> Annotations | None:
    """The annotations of a record (path without suffix); None: it has none."""
    import wfdb

    if not stem.with_name(f"{stem.name}.{extension}").is_file():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wfdb warns of labels that it does not know; they are kept all the same
        raw: Any = wfdb.rdann(str(stem), extension)
    order = np.argsort(raw.sample, kind="stable")
    notes = [(raw.aux_note[i] or "").strip("\x00").strip() for i in order]
    return Annotations(
        rate_hz=rate_hz,
        length=length,
        sample=np.asarray(raw.sample, np.int64)[order],
        symbol=np.asarray(raw.symbol, dtype="U1")[order],
        text=tuple(notes),
    )

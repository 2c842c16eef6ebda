"""How a detector speaks: beats, grades and episodes that open, change and close.

`pen` is where the writing stands: rows written, the row of work, the slot, the raw sample just seen (see advance.py).
"""

from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import Mark

_OPEN, _UPDATE, _CLOSE = constant(Mark.OPEN), constant(Mark.UPDATE), constant(Mark.CLOSE)


@kernel
def write(pen: Record, marks: Samples, kind: int, condition: int, index: int, onset: int) -> int:
    """Begin the next row of marks; returns its number, where the caller fills in values.

    Row 0 is overwritten when the marks are full; `advance` then sees a count beyond the size and raises.
    """
    row = pen.written if pen.written < marks.size else 0
    pen.written += 1
    mark = marks[row]
    mark.slot = pen.slot
    mark.work = pen.work
    mark.kind = kind
    mark.condition = condition
    mark.index = index
    mark.onset = onset
    mark.decided = pen.now
    mark.value = 0.0
    mark.second = 0.0
    mark.confidence = 1.0
    mark.beat = 0
    return int(row)


@kernel
def open_episode(pen: Record, marks: Samples, episode: Record, condition: int, index: int, onset: int) -> int:
    """Open; an index that an earlier episode of this condition used up moves behind it."""
    episode.open = 1
    episode.first = max(index, episode.closed + 1)
    episode.onset = min(max(onset, episode.closed + 1), episode.first)
    return write(pen, marks, _OPEN, condition, episode.first, episode.onset)


@kernel
def update_episode(pen: Record, marks: Samples, episode: Record, condition: int) -> int:
    """Say that the value (or the onset, already set in the episode) changed."""
    return write(pen, marks, _UPDATE, condition, episode.first, episode.onset)


@kernel
def close_episode(pen: Record, marks: Samples, episode: Record, condition: int, last: int) -> int:
    """Close at the last sample of the episode."""
    episode.open = 0
    episode.closed = max(last, episode.first)
    return write(pen, marks, _CLOSE, condition, episode.closed, episode.onset)


@kernel
def tell(marks: Samples, row: int, episode: Record, value: float, second: float, confidence: float) -> None:
    """Fill in what a row of an episode says."""
    marks[row].value = value
    marks[row].second = second
    marks[row].confidence = confidence
    episode.value = value
    episode.confidence = confidence

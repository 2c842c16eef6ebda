"""The log of record as a file: what `tierwatch log export` writes and the log runner reads.

One MessagePack frame a position, each behind its length, all in one gzip stream; the first frame says what it is.
"""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from gateway.wire import MalformedMessage
from stream.log_words import decode_log_batch, encode_log_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stream.batch import Batch

HEAD = "tierwatch-log"
VERSION = 1


class BadLog(ValueError):
    """The file is no exported log, or it is cut off: export it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A patient whose judging ended the process: nothing in the log itself says so."""

    position: int
    patient: str
    why: str


@contextmanager
def writing(path: Path, benched: list[Bench]) -> Iterator[Callable[[Batch], None]]:
    """Write positions, in order, to a file that appears under its name only when it is whole."""
    part = path.with_suffix(path.suffix + ".part")
    with gzip.open(part, "wb", compresslevel=4) as file:
        head = msgspec.msgpack.encode([HEAD, VERSION, benched])
        file.write(len(head).to_bytes(4, "big") + head)

        def put(batch: Batch) -> None:
            frame = encode_log_batch(batch)
            file.write(len(frame).to_bytes(4, "big") + frame)

        yield put
    part.replace(path)


def read(path: Path) -> tuple[list[Bench], Iterator[Batch]]:
    """Who was benched by the death of the process, and the positions in order.

    Raises:
        BadLog: not such a file, of a newer version, or cut off (when the iterator comes to it).
    """
    frames = _frames(path)
    match msgspec.msgpack.decode(next(frames, b"\xc0")):
        case [str(head), int(version), list(benched)] if head == HEAD and version == VERSION:
            return [msgspec.convert(b, Bench) for b in benched], _batches(path, frames)
    raise BadLog(f"{path} is no exported log of version {VERSION}")


def _batches(path: Path, frames: Iterator[bytes]) -> Iterator[Batch]:
    for frame in frames:
        try:
            yield decode_log_batch(frame)
        except MalformedMessage as error:
            raise BadLog(f"{path}: {error}") from error


def _frames(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            while head := file.read(4):
                frame = file.read(int.from_bytes(head, "big"))
                if len(head) < 4 or len(frame) < int.from_bytes(head, "big"):  # noqa: PLR2004 - the length's own size
                    raise BadLog(f"{path} is cut off")
                yield frame
    except (OSError, EOFError) as error:
        raise BadLog(f"{path}: {error}") from error

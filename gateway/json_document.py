"""Taking values out of a JSON document by path, collecting everything that is wrong with it, each by name.

Pure; never raises on any document, whatever it holds: `load` raises a `Problem` where the text is no JSON at all.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from gateway.wire import MalformedMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABSENT: Any = object()


class Problem(MalformedMessage):
    """Something in a document is wrong: where, and what; `reason` is a word of `stream.batch.Reason`."""

    reason = "malformed"

    def __init__(self, path: str, sentence: str) -> None:
        self.path = path
        """As `header.schema_id.name`; `$` is the document."""
        self.sentence = sentence
        super().__init__(f"{path}: {sentence}")


class NotJson(Problem):
    """The bytes are no JSON document."""


class MissingField(Problem):
    """A field that the schema demands is not there."""


class WrongType(Problem):
    """A field holds another type, or a text of another form, than the schema says."""


class WrongSchema(Problem):
    """The schema named in the header is none of ours."""


class BadDate(Problem):
    """No RFC 3339 date and time with an offset."""


class WrongUnit(Problem):
    """A unit that the schema does not know: it is never converted by guess."""

    reason = "wrong_unit"


class Impossible(Problem):
    """A number that no living being has, or that contradicts another."""

    reason = "impossible"


@dataclass(frozen=True, slots=True)
class TextAndTime:
    """A date as it was written, and the instant it means."""

    text: str
    time: datetime


def load(payload: bytes | str) -> Any:
    """The document.

    Raises:
        NotJson, Impossible: no JSON; or NaN or an infinity, which JSON does not have.
    """

    def constant(word: str) -> NoReturn:
        raise Impossible("$", f"{word} is no number")

    try:
        text = payload.decode("utf-8") if isinstance(payload, bytes) else payload
        return json.loads(text, parse_constant=constant)
    except Problem:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJson("$", f"no JSON: {error}") from error


class Document:
    """A parsed document and what was found wrong with it so far. Every getter gives None where something is wrong."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self.problems: list[Problem] = []
        if not isinstance(root, dict):
            self.add(WrongType("$", f"an object is expected, not {_kind(root)}"))

    def add(self, problem: Problem) -> None:
        """One more thing that is wrong."""
        if not any(known.path == problem.path for known in self.problems):
            self.problems.append(problem)

    def _find(self, path: str, *, optional: bool = False) -> Any:
        here = self._root
        walked: list[str] = []
        for key in path.split("."):
            if not isinstance(here, dict):
                self.add(WrongType(".".join(walked) or "$", f"an object is expected, not {_kind(here)}"))
                return _ABSENT
            walked.append(key)
            if key not in here:
                if not optional:
                    self.add(MissingField(".".join(walked), "missing"))
                return _ABSENT
            here = here[key]
        return here

    def text(self, path: str, *, optional: bool = False) -> str | None:
        """A text that is not empty."""
        value = self._find(path, optional=optional)
        if value is _ABSENT:
            return None
        if not isinstance(value, str) or not value:
            self.add(WrongType(path, f"a text is expected, not {_kind(value)}"))
            return None
        return value

    def matching(self, path: str, pattern: str, meant: str) -> str | None:
        """A text of a form."""
        value = self.text(path)
        if value is not None and not re.fullmatch(pattern, value):
            self.add(WrongType(path, f"{value[:80]!r} is not {meant}"))
            return None
        return value

    def flag(self, path: str, *, default: bool) -> bool:
        """A boolean."""
        value = self._find(path, optional=True)
        if value is _ABSENT:
            return default
        if not isinstance(value, bool):
            self.add(WrongType(path, f"true or false is expected, not {_kind(value)}"))
            return default
        return value

    def whole(self, path: str, least: int, most: int, *, optional: bool = False) -> int | None:
        """A whole number."""
        value = self._find(path, optional=optional)
        if value is _ABSENT:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(WrongType(path, f"a whole number is expected, not {_kind(value)}"))
            return None
        if not least <= value <= most:
            self.add(Impossible(path, f"{_short(value)} does not lie in {least}..{most}"))
            return None
        return value

    def number(self, path: str) -> float | None:
        """A number."""
        value = self._find(path)
        if value is _ABSENT:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.add(WrongType(path, f"a number is expected, not {_kind(value)}"))
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.add(Impossible(path, "too large for a number"))
            return None
        return number

    def unit(self, path: str, known: Mapping[str, float]) -> float | None:
        """The factor of a unit."""
        value = self.text(path)
        if value is None:
            return None
        if value not in known:
            self.add(WrongUnit(path, f"unit {value[:40]!r} is unknown; known: {', '.join(known)}"))
            return None
        return known[value]

    def quantity(self, path: str, units: Mapping[str, float], least: float, most: float) -> float | None:
        """`{value, unit}` in the first unit of the table, within least..most of it."""
        value, factor = self.number(f"{path}.value"), self.unit(f"{path}.unit", units)
        if value is None or factor is None:
            return None
        if not least <= value * factor <= most:
            self.add(Impossible(f"{path}.value", f"{value:g} does not lie in {least / factor:g}..{most / factor:g}"))
            return None
        return value * factor

    def time(self, path: str) -> TextAndTime | None:
        """A date and time with offset."""
        text = self.text(path)
        if text is None:
            return None
        try:
            # Python's reader also takes week dates and dates alone; RFC 3339 does not.
            if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", text):
                raise ValueError("expected YYYY-MM-DDTHH:MM:SS and an offset")  # noqa: TRY301 - one error for both
            return TextAndTime(text, datetime.fromisoformat(text.upper()).astimezone(UTC))
        except (ValueError, OverflowError) as error:
            self.add(BadDate(path, f"{text[:60]!r} is no date and time with an offset: {error}"))
            return None

    def samples(self, path: str, most: int) -> list[int | None] | None:
        """Whole microvolts, null where a sample is missing."""
        value = self._find(path)
        if value is _ABSENT:
            return None
        if not isinstance(value, list):
            self.add(WrongType(path, f"a list is expected, not {_kind(value)}"))
            return None
        if not 0 < len(value) <= most:
            self.add(Impossible(path, f"{len(value)} samples; 1 to {most} are allowed"))
            return None
        for number, sample in enumerate(value):
            if sample is not None and (isinstance(sample, bool) or not isinstance(sample, int)):
                self.add(WrongType(f"{path}.{number}", f"a whole number or null is expected, not {_kind(sample)}"))
                return None
        return value


def _kind(value: Any) -> str:
    if value == "":
        return "an empty text"
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"{_short(value)}")


SHOWN = 40
"""Characters of a wrong value that an error shows."""


def _short(value: Any) -> str:
    try:
        text = str(value)
    except ValueError:  # thousands of digits
        return "a huge number"
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."

"""`tierwatch ingest check`: every message of a file against its schema and against itself. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.open_mhealth import examine
from gateway.reading import ClientId

if TYPE_CHECKING:
    from gateway.json_document import Problem

_CLIENT = ClientId("check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a file holds."""

    messages: int
    problems: tuple[tuple[int, Problem], ...]
    """(number of the line, or of the item in a list, from 1; the problem)."""


def check(text: str) -> Checked:
    """One JSON document, a list of them, or one a line (empty lines do not count)."""
    numbered = _messages(text)
    problems: list[tuple[int, Problem]] = []
    for number, message in numbered:
        _, found = examine(message, _CLIENT)
        problems += [(number, problem) for problem in found]
    return Checked(messages=len(numbered), problems=tuple(problems))


def _messages(text: str) -> list[tuple[int, str]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        # One document over many lines that does not parse is one problem, not one for each of its lines.
        pretty = len(lines) > 1 and lines[0][1].strip() in {"{", "["}
        return [(1, text)] if pretty else lines
    if isinstance(whole, list):
        return [(number, json.dumps(item)) for number, item in enumerate(whole, 1)]
    return [(1, text)]

"""SQL in files beside the code that runs it: `-- name --`, a comment of what it is for, the statement.

Here so that a query can be read, explained and tested as SQL. Must never build SQL out of values: those are parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"--\s+([a-z][a-z0-9_]*)\s+--")


class SqlFileError(ValueError):
    """A file of queries cannot be used as it is: the message says where and why."""


class UnknownQuery(SqlFileError, KeyError):
    """The file holds no query of this name."""

    def __str__(self) -> str:
        """The sentence itself; a KeyError would show it in quotes."""
        return str(self.args[0])


class Queries(Mapping[str, str]):
    """The queries of one file by name."""

    def __init__(self, path: Path) -> None:
        """Read and check the whole file, so that a mistake shows at import."""
        self._path = path
        self._queries = _parse(path)

    def __getitem__(self, name: str) -> str:
        """The text of a query, without its comment lines (a `%` in a comment would be taken for a parameter)."""
        try:
            return self._queries[name]
        except KeyError:
            raise UnknownQuery(f"{self._path} holds no query {name!r}; it has: {', '.join(self._queries)}") from None

    def __iter__(self) -> Iterator[str]:
        """Names in the order of the file."""
        return iter(self._queries)

    def __len__(self) -> int:
        """How many queries the file holds."""
        return len(self._queries)


def queries(path: Path) -> Queries:
    """The named queries of a `.sql` file.

    Raises:
        SqlFileError: SQL before the first name, a name given twice, or a name without SQL.
    """
    return Queries(path)


def _parse(path: Path) -> dict[str, str]:
    bodies: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if heading := _NAME.fullmatch(line.strip()):
            name = heading[1]
            if name in bodies:
                raise SqlFileError(f"{path}:{number}: query {name!r} is there twice: rename one")
            bodies[name] = []
        elif not line.strip() or line.lstrip().startswith("--"):
            continue
        elif not name:
            raise SqlFileError(f"{path}:{number}: SQL before the first `-- name --` line")
        else:
            bodies[name].append(line.rstrip())
    if empty := [name for name, body in bodies.items() if not body]:
        raise SqlFileError(f"{path}: no SQL under {', '.join(empty)}")
    return {name: "\n".join(body) for name, body in bodies.items()}

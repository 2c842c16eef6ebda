"""SQL that lies in a file of its own: `-- name --`, a line of comment, the statement. A missing name fails at import.

The outbox's SQL is SQLite's; the servers' SQL has its own loader in `stream`, which this folder must not import.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEADING = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)


def statements(path: Path) -> dict[str, str]:
    """Every statement of the file under its name."""
    parts = _HEADING.split(path.read_text(encoding="utf-8"))
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}

"""What the documents name must exist: tests in the hazard table, files, commands. A document that lies is worse than none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OURS = re.compile(r"`((?:gateway|stream|alerts|api|device_sims|tests|benchmarks|docs)/[\w./-]*\w)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def names_in(path: Path) -> set[str]:
    """Names of the tests in a file."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_of_the_hazard_table_exists() -> None:
    named = 0
    for line in (ROOT / "docs" / "hazards.md").read_text().splitlines():
        file = ""
        for file_name, test in re.findall(r"`([\w/]*(?:_test\.py)?)::(test_\w+)`", line):
            file = file_name or file
            assert test in names_in(ROOT / "tests" / file), f"{file}::{test}"
            named += 1
    assert named > 40


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    missing = [name for name in OURS.findall(text) if not (ROOT / name).exists()]
    missing += [target for target in LINK.findall(text) if not (document.parent / target).exists()]
    assert not missing

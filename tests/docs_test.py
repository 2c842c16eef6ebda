"""What the documents name must exist: tests in the hazard table, files, commands. A document that lies is worse than none."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from alerts.machine import diagram
from alerts.policy import QUIET, RULES
from stream.finding import Condition

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OURS = re.compile(r"`((?:gateway|stream|alerts|api|device_sims|tests|benchmarks|docs)/[\w./-]*\w)`")
COMMAND = re.compile(r"(?:^ {4}(?:\.venv/bin/)?|`(?:\.venv/bin/)?)tierwatch ((?:[a-z]+ ?)+)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def names_in(path: Path) -> set[str]:
    """Names of the tests in a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def named_tests(line: str) -> int:
    """How many tests a line of a table names; each must exist."""
    file, named = "", 0
    for file_name, test in re.findall(r"`([\w/]*(?:_test\.py)?)::(test_\w+)`", line):
        file = file_name or file
        assert test in names_in(ROOT / "tests" / file), f"{file}::{test}"
        named += 1
    return named


def test_every_test_of_the_hazard_table_exists() -> None:
    assert sum(named_tests(line) for line in (ROOT / "docs" / "hazards.md").read_text().splitlines()) > 40


def test_every_condition_has_its_row_with_its_tier_a_rule_what_shows_it_and_a_test() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in (ROOT / "docs" / "conditions.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    assert sorted(row[0].strip("` |") for row in rows) == sorted(Condition)
    for name, tier, rule, shown, tests in rows:
        condition = Condition(name.strip("` |"))
        assert tier == ("none" if condition in QUIET else RULES[condition].tier.name), condition
        assert rule, condition
        assert shown, condition
        assert named_tests(tests), condition


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    missing = [name for name in OURS.findall(text) if not (ROOT / name).exists()]
    missing += [target for target in LINK.findall(text) if not (document.parent / target).exists()]
    assert not missing


def test_the_picture_of_an_alerts_life_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}```" in (ROOT / "docs" / "architecture.md").read_text()


def test_every_command_that_is_named_exists() -> None:
    app = import_module("tierwatch")
    app.mount()

    def paths(typed: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        found = {(*above, one.name or one.callback.__name__.replace("_", "-")) for one in typed.registered_commands}
        for one in typed.registered_groups:
            below = (*above, one.name) if one.name else above
            found |= {below} | paths(one.typer_instance, below)
        return found

    known = paths(app.app)
    for document in DOCUMENTS:
        for words in COMMAND.findall(document.read_text()):
            named = tuple(words.split())
            assert named[:1] in known or named[:2] in known, f"{document.name}: tierwatch {words}"
            groups = {
                path for path in known if any(len(other) > len(path) and other[: len(path)] == path for other in known)
            }
            if named[:1] in groups and len(named) > 1:
                assert named[:2] in known, f"{document.name}: tierwatch {words}"

"""The house rules that a script can see: layers, sizes, names, whose SQL is whose, what is packed, what is loaded.

Each rule is a sentence of ARCHITECTURE; an exception is named here with its reason, and one that is not needed any more
is an error too.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
FOLDERS = ("gateway", "stream", "alerts", "api", "device_sims")
IMPORTS = {"gateway": set(), "stream": {"gateway"}, "alerts": {"gateway", "stream"}}
IMPORTS |= {"api": {"gateway", "stream", "alerts"}, "device_sims": {"gateway", "stream.recording"}}
SQL_FOLDERS = ("stream", "alerts", "api")
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_SETTINGS = 400, 60, 8

LONG_FILES: dict[str, str] = {
    "tierwatch.py": "the composition root: one function a child process, all parts in sight at once",
}
LONG_FUNCTIONS: dict[str, str] = {}
SAYS_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "handler", "impl"})
HEAVY = frozenset({"numba", "wfdb", "scipy", "neurokit2", "pandas", "matplotlib"})
ELSEWHERE = re.compile(
    r"(?<![\w.])/(?:work|farm|root)(?![\w-])"  # where somebody happened to work
    r"|(?:py" + r"pi|pythonhosted|npmjs|crates|maven|golang)\.(?:org|com|io)|repo\d?\.maven",
)


# --- What there is ----------------------------------------------------------------------------------------------------


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    """Python files of the folders, as paths from the root."""
    return tuple(sorted(one.relative_to(ROOT) for name in folders for one in (ROOT / name).rglob("*.py")))


def product() -> tuple[Path, ...]:
    """All that runs; `tests` and `benchmarks` do not."""
    return (*sources(*FOLDERS), Path("tierwatch.py"))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, wherever in the file; those for types only as well."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name, not a relative import"
            yield node.lineno, str(node.module)
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def settings() -> dict[str, Any]:
    """`pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def no(problems: Iterable[str]) -> None:
    """All of them at once, one a line."""
    found = sorted(problems)
    assert not found, "\n" + "\n".join(found)


# --- Layers -----------------------------------------------------------------------------------------------------------


def test_a_folder_reads_only_the_words_upstream() -> None:
    def allowed(folder: str, name: str) -> bool:
        top = name.partition(".")[0]
        if top == folder or top not in (*FOLDERS, "tierwatch", "tests", "benchmarks"):
            return True
        return any(name == word or name.startswith(f"{word}.") for word in IMPORTS[folder])

    def whole(folder: str, name: str, names: set[str]) -> bool:  # `from stream import recording` is the module alone
        return folder == "device_sims" and name == "stream" and "stream.recording" in names

    no(
        f"{path}:{line}: {path.parts[0]} may not import {name}"
        for path in sources(*FOLDERS)
        for line, name in imported(path)
        if not allowed(path.parts[0], name) and not whole(path.parts[0], name, {one for _, one in imported(path)})
    )


def test_import_linter_keeps_its_contracts() -> None:
    lint = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    run = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "module", ["api.app", "alerts.station", "gateway.gateway", "tierwatch", "stream.servers.supervisor"]
)
def test_loads_without_the_heavy_libraries(module: str) -> None:
    show = f"import sys, json, {module}; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert not HEAVY & set(json.loads(run.stdout))


def test_the_virtual_world_knows_no_database() -> None:
    no(
        f"{path}:{line}: imports {name}"
        for path in sources("device_sims")
        for line, name in imported(path)
        if name.split(".")[0] in {"psycopg", "psycopg_pool", "sqlite3"}
    )
    no(
        f"{path}:{node.lineno}: names a dsn"
        for path in sources("device_sims")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name | ast.arg | ast.Attribute)
        and "dsn" in (getattr(node, "id", "") or getattr(node, "arg", "") or getattr(node, "attr", "")).lower()
    )


# --- Sizes and names --------------------------------------------------------------------------------------------------


def test_no_file_is_too_long() -> None:
    long = {str(path) for path in product() if len((ROOT / path).read_text().splitlines()) > MOST_LINES}
    no(f"{path}: over {MOST_LINES} lines" for path in long - LONG_FILES.keys())
    no(f"{path}: is not too long any more, take it off the list" for path in LONG_FILES.keys() - long)


def test_no_function_is_too_long() -> None:
    long = {
        f"{path}:{node.name}"
        for path in product()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    }
    no(f"{name}: over {MOST_LINES_OF_A_FUNCTION} lines" for name in long - LONG_FUNCTIONS.keys())
    no(f"{name}: is not too long any more, take it off the list" for name in LONG_FUNCTIONS.keys() - long)


def test_names_say_what_is_inside() -> None:
    every = (*product(), *sources("tests", "benchmarks"))
    no(f"{path}: says nothing" for path in every if SAYS_NOTHING & {path.stem, *path.parts[:-1]})
    # What is run as a file has its folder first on the path: a name of the library's there would be loaded for it.
    no(f"{path}: named like a module of Python's own" for path in every if path.stem in sys.stdlib_module_names)


def test_each_module_says_what_it_is_for() -> None:
    files = [path for path in (*product(), *sources("tests", "benchmarks")) if path.name != "__init__.py"]
    no(f"{path}: no docstring" for path in files if not ast.get_docstring(tree(path)))


def test_packages_import_nothing() -> None:
    no(
        f"{path}: is not empty"
        for path in sources(*FOLDERS)
        if path.name == "__init__.py" and (ROOT / path).read_text()
    )


# --- What is packed ---------------------------------------------------------------------------------------------------


def test_all_packages_are_packed_and_no_other() -> None:
    there = {".".join(path.parent.parts) for path in sources(*FOLDERS)}
    packed = settings()["tool"]["setuptools"]["packages"]
    assert sorted(packed) == sorted(there)


def test_what_is_not_python_is_packed_too() -> None:
    data = settings()["tool"]["setuptools"]["package-data"]
    packed = {
        file
        for package, patterns in data.items()
        for pattern in patterns
        for file in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    there = {
        file
        for name in FOLDERS
        for file in (ROOT / name).rglob("*")
        if file.is_file() and file.suffix not in {".py", ".pyc", ".nbi", ".nbc"}
    }
    no(f"{file.relative_to(ROOT)}: is not in package-data" for file in there - packed)


def test_nobody_else_brings_our_names() -> None:
    ours = {*FOLDERS, "tierwatch"}
    no(
        f"{one.metadata['Name']} brings {file}"
        for one in distributions()
        if one.metadata["Name"] != "tierwatch"
        for file in one.files or ()
        if file.parts[0].removesuffix(".py") in ours
    )


def test_files_name_no_machine_and_no_index() -> None:
    looked_at = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    for name in (*FOLDERS, "tests", "benchmarks", "docs", ".ci"):
        looked_at += [
            path for path in (ROOT / name).rglob("*") if path.is_file() and path.suffix not in {".pyc", ".nbi", ".nbc"}
        ]
    no(
        f"{path.relative_to(ROOT)}:{number}: {found.group()}"
        for path in looked_at
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if (found := ELSEWHERE.search(line))
    )


# --- Settings, SQL, command line --------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS)
def test_settings_stay_few(folder: str) -> None:
    classes = [node for node in tree(Path(folder, "settings.py")).body if isinstance(node, ast.ClassDef)]
    fields = [node for one in classes for node in one.body if isinstance(node, ast.AnnAssign)]
    assert 1 <= len(fields) <= MOST_SETTINGS


@pytest.mark.parametrize("path", [path for path in product() if path.name == "settings.py"], ids=str)
def test_each_table_of_settings_stays_short(path: Path) -> None:
    for one in (node for node in tree(path).body if isinstance(node, ast.ClassDef)):
        assert sum(isinstance(node, ast.AnnAssign) for node in one.body) <= MOST_SETTINGS, one.name


def statements(path: Path) -> str:
    """A file of SQL without its comments."""
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", (ROOT / path).read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("folder", SQL_FOLDERS)
def test_a_folder_touches_its_own_tables_only(folder: str) -> None:
    """Those of others are reached by the functions that their owner made."""
    files = sorted((ROOT / folder).rglob("*.sql"))
    assert files
    others = "|".join(sorted({*SQL_FOLDERS} - {folder}))
    no(
        f"{file.relative_to(ROOT)}: {found.group()} is not a function"
        for file in files
        for found in re.finditer(rf"(?<![\w.])(?:{others})\.[a-z_]+\b(?!\s*\()", statements(file.relative_to(ROOT)))
    )


def test_sql_lies_in_files() -> None:
    is_sql = re.compile(r"\s*(?:SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\.\w+\s+SET|DELETE\s+FROM)\s", re.DOTALL)
    no(
        f"{path}:{node.lineno}: {str(node.value)[:60]!r}"
        for path in sources("alerts", "api", "device_sims")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_sql.match(node.value)
    )


def commands(app: Any, above: str) -> Iterator[tuple[str, str]]:
    """Each command of a typer app with its help."""
    for one in app.registered_commands:
        name = one.name or one.callback.__name__.replace("_", "-")
        if not one.hidden:
            yield f"{above} {name}".strip(), str(one.help or one.callback.__doc__)
    for one in app.registered_groups:
        yield from commands(one.typer_instance, f"{above} {one.name or ''}".strip())


def test_each_command_shows_an_example() -> None:
    apps = [("tierwatch", import_module("tierwatch").app)]
    apps += [(folder, import_module(f"{folder}.commands").app) for folder in FOLDERS]
    apps += [("ingest", import_module("gateway.commands").ingest)]
    found = dict(pair for name, app in apps for pair in commands(app, name))
    assert len(found) > len(FOLDERS)
    no(f"{name}: its help has no example" for name, text in found.items() if "Example" not in text)

"""Break the product on purpose, patch by patch: the test that each patch names must turn red.

    python tests/mutants/run.py [NAME...] [--limit SECONDS]

A patch begins with `Breaks: ...` (what would go wrong in the field) and `Killed by: FILE::TEST`. The tree is copied to
`var/mutants`, the named tests must be green there, then each patch is applied, its tests run, and it is taken away.
A survivor, a patch that does not apply, and one that is not decided in time each fail, by name.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "var" / "mutants" / "tree"
COPIED = ("gateway", "stream", "alerts", "api", "device_sims", "tests", "docs", "benchmarks")
FILES = ("tierwatch.py", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.nbi", "*.nbc")
FAILED = 1
"""pytest's exit code for tests that failed; broken collection, or no test at all, is another one and kills nothing."""


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    """Its test failed."""
    SURVIVED = "SURVIVED"
    """Its test passed: the product may be broken so, and nobody would notice."""
    STALE = "DOES NOT APPLY"
    """The code has changed: mend the patch."""
    UNDECIDED = "NOT DECIDED"
    """Out of time, or its test did not run at all."""
    SKIPPED = "skipped"
    """Its test needs recordings that are not here."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch."""

    path: Path
    breaks: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


def mutants(names: list[str]) -> list[Mutant]:
    """All patches, or those that are named."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.patch")):
        if names and path.stem not in names:
            continue
        head = path.read_text(encoding="utf-8").split("--- a/", 1)[0]
        breaks = re.search(r"^Breaks: (.+)$", head, re.MULTILINE)
        tests = tuple(re.findall(r"^Killed by: (.+)$", head, re.MULTILINE))
        if breaks is None or not tests:
            sys.exit(f"{path.name}: it must begin with `Breaks: ...` and `Killed by: FILE::TEST`")
        found.append(Mutant(path, breaks[1], tests))
    if unknown := set(names) - {one.name for one in found}:
        sys.exit(f"no such patch: {', '.join(sorted(unknown))}")
    return found


def copy_tree() -> None:
    """The tree as it is now, at the same place each time: what numba compiled for it stays good."""
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    for name in COPIED:
        shutil.copytree(ROOT / name, TREE / name, ignore=NOT_COPIED)
    for name in FILES:
        shutil.copy2(ROOT / name, TREE / name)


def run_tests(tests: tuple[str, ...], limit_s: float) -> tuple[int | None, str]:
    """pytest's exit code in the tree (None: out of time), and what it printed."""
    data = os.environ.get("TIERWATCH_DATA", str(ROOT.parent / "shared" / "data"))
    # No bytecode: a file that is put back may have the time and size of the one that was compiled.
    environment = {**os.environ, "TIERWATCH_DATA": data, "PYTHONPATH": str(TREE), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("NUMBA_CACHE_DIR", str(ROOT / "var" / "numba"))
    # Hypothesis must not be lucky: the same examples each time.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.mutants.unshrunk"]
    command += ["--hypothesis-seed=1", *tests]
    with subprocess.Popen(
        command, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as run:  # fmt: skip
        try:
            said, _ = run.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, 9)
            run.communicate()
            return None, ""
    return run.returncode, said


def applied(mutant: Mutant) -> bool:
    """Apply the patch to the tree; whether that went."""
    # Without a repository around it `git apply` patches plain files.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(TREE.parent)}
    command = ["git", "apply", "--whitespace=nowarn", str(mutant.path)]
    return subprocess.run(command, cwd=TREE, env=environment, capture_output=True, check=False).returncode == 0


@contextmanager
def kept(mutant: Mutant) -> Iterator[None]:
    """Put the files that the patch touches back as they were, with their times: numba goes by them."""
    names = re.findall(r"^--- a/(.+)$", mutant.path.read_text(encoding="utf-8"), re.MULTILINE)
    before = [
        (path, path.read_bytes(), path.stat()) for path in (TREE / name.strip() for name in names) if path.exists()
    ]
    try:
        yield
    finally:
        for path, content, stat in before:
            path.write_bytes(content)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def judge(mutant: Mutant, limit_s: float) -> Verdict:
    """Break it, ask its tests, mend it."""
    with kept(mutant):
        if not applied(mutant):
            return Verdict.STALE
        code, said = run_tests(mutant.tests, limit_s)
    if code == FAILED:
        return Verdict.KILLED
    if code == 0 and re.search(r"\d+ passed", said):
        return Verdict.SURVIVED
    return Verdict.SKIPPED if code == 0 else Verdict.UNDECIDED


def main() -> int:
    """Run them all, one after another; the exit code is 1 where one was not killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="patches, without ending; all if none is named")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a mutant may take")
    given = parser.parse_args()
    chosen = mutants(given.names)
    copy_tree()
    print(f"{len(chosen)} mutants; their tests must be green first", flush=True)
    code, said = run_tests(tuple(dict.fromkeys(test for one in chosen for test in one.tests)), 20 * given.limit)
    if code != 0:
        print(said[-4000:], f"the tests are not green without any mutant (pytest: {code})", sep="\n")
        return 1
    width = max(len(one.name) for one in chosen)
    verdicts: dict[str, Verdict] = {}
    begun = time.monotonic()
    for number, one in enumerate(chosen, 1):
        started = time.monotonic()
        verdicts[one.name] = verdict = judge(one, given.limit)
        took = time.monotonic() - started
        print(f"{number:3}/{len(chosen)}  {one.name:<{width}}  {verdict:<14}  {took:5.1f} s  {one.breaks}", flush=True)
    left = [name for name, verdict in verdicts.items() if verdict not in {Verdict.KILLED, Verdict.SKIPPED}]
    count = {verdict: sum(one is verdict for one in verdicts.values()) for verdict in Verdict}
    print(
        ", ".join(f"{n} {verdict.lower()}" for verdict, n in count.items() if n), f"in {time.monotonic() - begun:.0f} s"
    )
    for one in chosen:
        if one.name in left:
            print(f"{verdicts[one.name]}: {one.path.relative_to(ROOT)}: {' '.join(one.tests)}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())

"""How every kernel of this package is compiled, and what a record is called in its signature.

Without fastmath: sums keep their order, so that a saved and restored chart goes on bit for bit.
numba's cache looks only at the file of the function that was called, not at those that it calls nor at constants of
other modules: after a change it would go on with old code, silently. So the cache of each module lies in a folder named by
a digest of its source, of all that it imports from this package, and of the models.
"""

import ast
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

_CONFIG: Any = numba.config  # its names are made at run time

Function = TypeVar("Function", bound=Callable[..., Any])

Record = Any
"""One row (or nested part of a row) of a structured array; numba knows its fields, mypy cannot."""

Samples = NDArray[Any]
"""An array."""


@cache
def _cache_folder(module: str) -> str:
    """For functions of `module`: below $NUMBA_CACHE_DIR, or __pycache__ of this package."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(_sources(package, module)):
        digest.update(source.read_bytes())
    home = Path(_CONFIG.CACHE_DIR) if _CONFIG.CACHE_DIR else package / "__pycache__"
    return str(home / f"{module}-{digest.hexdigest()[:16]}")


def _sources(package: Path, module: str) -> set[Path]:
    """The file of a module of this package, and of all that it imports from it; with any, the models."""
    found: set[Path] = set()
    names = [module]
    while names:
        source = package / f"{names.pop()}.py"
        if source in found or not source.is_file():
            continue
        found.add(source)
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module == "stream.ecg":
                names += [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stream.ecg."):
                names.append((node.module or "").split(".")[2])
    return found | ({*package.glob("models/*.npz")} if package / "trees.py" in found else set())


def constant(number: int) -> int:
    """A number of an enumeration for kernels to hand on: as a plain int, each value would compile its callees anew."""
    return cast("int", np.int64(number))


def kernel(function: Function) -> Function:
    """Compile for records: cached on disk, bit-exact, division by zero gives inf as in NumPy."""
    return _compiled(function, within_callers=False)


def inlined_kernel(function: Function) -> Function:
    """The same, and a part of each caller: for what runs at every sample, where a call costs more than the work."""
    return _compiled(function, within_callers=True)


def _compiled(function: Function, *, within_callers: bool) -> Function:
    others = _CONFIG.CACHE_DIR
    _CONFIG.CACHE_DIR = _cache_folder(function.__module__.rpartition(".")[2])
    try:
        made = numba.njit(cache=True, fastmath=False, error_model="numpy", forceinline=within_callers)(function)
        return cast("Function", made)
    finally:
        _CONFIG.CACHE_DIR = others

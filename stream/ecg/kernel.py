"""How every kernel of this package is compiled, and what a record is called in its signature.

Without fastmath: sums keep their order, so that a saved and restored chart goes on bit for bit.
numba's cache looks only at the file of the function that was called, not at those that it calls nor at constants of
other modules: after a change it would go on with old code, silently. So the cache lies in a folder named by a digest of
all sources of this package.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from numpy.typing import NDArray

_CONFIG: Any = numba.config  # its names are made at run time

Function = TypeVar("Function", bound=Callable[..., Any])

Record = Any
"""One row (or nested part of a row) of a structured array; numba knows its fields, mypy cannot."""

Samples = NDArray[Any]
"""An array."""


def _cache_folder() -> str:
    """Below $NUMBA_CACHE_DIR, or __pycache__ of this package."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        digest.update(source.read_bytes())
    home = Path(_CONFIG.CACHE_DIR) if _CONFIG.CACHE_DIR else package / "__pycache__"
    return str(home / f"ecg-{digest.hexdigest()[:16]}")


_CACHE_FOLDER: Final = _cache_folder()


def kernel(function: Function) -> Function:
    """Compile for records: cached on disk, bit-exact, division by zero gives inf as in NumPy."""
    others = _CONFIG.CACHE_DIR
    _CONFIG.CACHE_DIR = _CACHE_FOLDER
    try:
        return cast("Function", numba.njit(cache=True, fastmath=False, error_model="numpy")(function))
    finally:
        _CONFIG.CACHE_DIR = others

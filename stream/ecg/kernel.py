"""How every kernel of this package is compiled, and what a record is called in its signature.

Without fastmath: sums keep their order, so that a saved and restored chart goes on bit for bit.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])

Record = Any
"""One row (or nested part of a row) of a structured array; numba knows its fields, mypy cannot."""

Samples = NDArray[Any]
"""A one-dimensional array."""


def kernel(function: Function) -> Function:
    """Compile for records: cached on disk, bit-exact, division by zero gives inf as in NumPy."""
    return cast("Function", njit(cache=True, fastmath=False, error_model="numpy")(function))

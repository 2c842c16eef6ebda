"""Reads tierwatch.toml: one table a folder, each checked by that folder's own model.

Called by `tierwatch.py` only. Must never pass over what it does not understand: a slip of the pen would look like a
setting that is in force.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class BadSettings(RuntimeError):
    """The settings file says something that we do not understand."""


def model_of(folder: str) -> type[BaseModel] | None:
    """The one settings model that a folder defines in its `settings.py`, if it has one."""
    if find_spec(f"{folder}.settings") is None:
        return None
    module = import_module(f"{folder}.settings")
    for name, found in vars(module).items():
        if not name.endswith("Settings") or not isinstance(found, type) or not issubclass(found, BaseModel):
            continue
        if found.__module__ == module.__name__:
            return found
    return None


def read_tables(path: Path | None, folders: Iterable[str]) -> dict[str, BaseModel]:
    """Each folder's settings; without a file, the defaults.

    Raises:
        BadSettings: no TOML, an unknown table, an unknown setting, a value that cannot be; all of them are named.
    """
    models = {folder: model for folder in folders if (model := model_of(folder))}
    given = {} if path is None else _parsed(path)
    if unknown := sorted(set(given) - set(models)):
        tables = ", ".join(f"[{name}]" for name in models)
        raise BadSettings(f"{path}: unknown table or setting {', '.join(unknown)}. Tables are {tables}.")
    found = {}
    for folder, model in models.items():
        try:
            found[folder] = model.model_validate(given.get(folder, {}))
        except ValidationError as error:
            raise BadSettings(
                f"{path}, table [{folder}]: {_faults(error)}. Known: {', '.join(model.model_fields)}."
            ) from error
    return found


def lines(tables: Mapping[str, BaseModel]) -> list[tuple[str, str]]:
    """Every setting in force, as (name, value)."""
    return [(f"[{folder}] {name}", str(value)) for folder, table in tables.items() for name, value in table]


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {error}") from error


def _faults(error: ValidationError) -> str:
    """What is wrong, without the values: one of them may be a password in the wrong place."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the table'}: {fault['msg']}" for fault in found)

"""The recorded record that another one refers to (`with` in a mapping), found by its key among the fixtures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmespath.exceptions import JMESPathError

from hde.mapping.expression import compile
from hde.spec.connector import Connector
from hde.spec.mapping import Reference


def counterpart(
    reference: Reference,
    record: Mapping[str, Any],
    resource: str,
    connector: Connector,
    others: Mapping[str, object],
    values: Sequence[str | None] = (),
) -> Mapping[str, Any] | None:
    """The one of `others` that the reference leads to from a record of `resource`; None where it is not among them.

    `values` are its raw columns, where it was read: what a column takes from `$each` is not in the record.
    Others that were read are named by their key, so that they are found where their own key is not in the record.
    """
    here, there = connector.resources[resource], connector.resources[reference.from_]
    column, key = here.column(reference.key), there.column(there.key[0]) if there.key else None
    if column is None or key is None:
        return None
    read = values[here.columns.index(column)] if values and column.path.startswith("$") else None
    wanted = _value(column.path, record) if read is None else read.lower()
    for name, one in others.items() if wanted is not None else ():
        is_it = (name.lower() if key.path.startswith("$") else _value(key.path, one)) == wanted
        if is_it and isinstance(one, dict):
            return one
    return None


def _value(path: str, record: object) -> str | None:
    """As text, because keys are compared as what the database makes of them."""
    try:
        found = None if path.startswith("$") else compile(path)(record)
    except JMESPathError:
        return None
    return None if found is None else str(found).lower()

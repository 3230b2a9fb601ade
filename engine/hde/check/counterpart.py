"""The recorded record that another one refers to (`with` in a mapping), found by its key among the fixtures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError

from hde.mapping.expression import compile
from hde.spec.connector import Connector
from hde.spec.mapping import Reference


def counterpart(
    reference: Reference, record: Mapping[str, Any], resource: str, connector: Connector, others: Iterable[object]
) -> Mapping[str, Any] | None:
    """The one of `others` that the reference leads to from a record of `resource`; None where it is not among them."""
    here, there = connector.resources[resource], connector.resources[reference.from_]
    column, key = here.column(reference.key), there.column(there.key[0]) if there.key else None
    wanted = _value(column.path, record) if column is not None else None
    if wanted is None or key is None:
        return None
    return next((one for one in others if isinstance(one, dict) and _value(key.path, one) == wanted), None)


def _value(path: str, record: object) -> str | None:
    """As text, because keys are compared as what the database makes of them."""
    try:
        found = None if path.startswith("$") else compile(path)(record)
    except JMESPathError:
        return None
    return None if found is None else str(found).lower()

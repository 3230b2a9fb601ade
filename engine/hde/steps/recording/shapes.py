"""Which of many records are worth keeping: few of them, and every path and type that was seen is in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hde.issues import json_type
from hde.source.exact import decode_exactly


def of_every_shape(records: Sequence[bytes], most: int, least: int = 1) -> list[int]:
    """Positions of the records to keep, in order; each adds something that those before it do not have."""
    shapes = [frozenset(_shape(decode_exactly(record), "")) for record in records]
    missing = set().union(*shapes)
    chosen: list[int] = []
    while missing and len(chosen) < most:
        best = max(range(len(shapes)), key=lambda at: (len(shapes[at] & missing), -at))
        missing -= shapes[best]
        chosen.append(best)
    others = [at for at in range(len(records)) if at not in chosen]
    return sorted([*chosen, *others[: max(0, least - len(chosen))]])


def _shape(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every path with the JSON type found there; the elements of a list share one."""
    yield path, json_type(value) + (" empty" if value in ("", [], {}) else "")
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _shape(below, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _shape(item, f"{path}[]")

"""The test of a whole resource: an answer with the first fixture in it is played back, and one raw row comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hde.author.fields import Names
from hde.author.part import Map
from hde.mapping.expression import is_plain

BUNDLE = "entry[].resource || `[]`"
FOLDER = "exchanges"
"""Below the fixtures: whole answers."""
SPAN_TYPES: Final = {"date": "date", "epoch": "bigint", "epoch_ms": "bigint", "rfc3339": "timestamptz"}
"""The raw type of `$window.start`, by the format of the window."""
_A_DAY_AGO = "2025-12-31"
"""Tests are run on the first day of 2026, so that one window is asked for."""

_ENDS: Final = {
    "date": (_A_DAY_AGO, _A_DAY_AGO),
    "epoch": ("1767139200", "1767225600"),
    "epoch_ms": ("1767139200000", "1767225600000"),
    "rfc3339": (f"{_A_DAY_AGO}T00:00:00Z", "2026-01-01T00:00:00Z"),
}
"""The ends of that window; an end day is included."""


@dataclass(frozen=True)
class PlayedTest:
    """A test, and the answer it plays back."""

    said: Map
    answer: Any


def read_test(
    name: str, said: Map, record: Mapping[str, Any], key: Mapping[str, object], *, is_list: bool
) -> PlayedTest | None:
    """What `mappings/SOURCE/tests/RESOURCE_read.yaml` says; None where the answer cannot be made from the record.

    `said` is the whole resource, `key` the columns of its key and their values.
    """
    path = said.get("records")
    if path is not None and path != BUNDLE and not is_plain(path):
        return None
    paging = said.get("pagination", {})
    answers: list[Map] = [{"file": f"{FOLDER}/{name}.json"}]
    if paging.get("kind") in ("page", "offset") and not {"more", "total"} & set(paging):
        answers.append({"json": _answer(path, [], paging)})
    test: Map = {"title": "an answer with one record gives one row"}
    if "window" in said:
        test["since"] = _A_DAY_AGO
    path_asked = _shown(said["path"], said.get("window", {}).get("format"))
    test["exchanges"] = [{"request": {"path": path_asked}, "answer": answer} for answer in answers]
    days = {name: _start(said) for name in said["key"] if _is_start(said["columns"].get(name))}
    test["expect"] = {"raw": [{**days, **key}], "requests": len(answers)}
    return PlayedTest({"resource": name, "tests": [test]}, _answer(path, [record] if is_list else record, paging))


def _is_start(column: object) -> bool:
    return isinstance(column, dict) and column.get("path") == "$window.start"


def _start(said: Map) -> object:
    start, _ = _ENDS[said["window"].get("format", "rfc3339")]
    return int(start) if start.isdigit() else start


def _shown(path: str, form: str | None) -> str:
    """The path of the only request."""
    start, end = _ENDS.get(form or "rfc3339", _ENDS["rfc3339"])
    return path.replace("{{ window.start }}", start).replace("{{ window.end }}", end)


def _answer(path: str | None, records: Any, paging: Map) -> Any:
    if path == BUNDLE:
        return {"entry": [{"resource": record} for record in records]}
    if path is None:
        return records
    answer: Map = {}
    _put(answer, tuple(path.split(".")), records)
    total = paging.get("total")
    if isinstance(total, str) and is_plain(total):
        _put(answer, tuple(total.split(".")), len(records))
    return answer


def _put(answer: Map, names: Names, value: object) -> None:
    *above, last = names
    for name in above:
        answer = answer.setdefault(name, {})
    answer[last] = value

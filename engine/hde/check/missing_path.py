"""What to say of a path that no fixture has: what its author probably meant by it."""

from __future__ import annotations

import re

from hde.canonical import METRICS, TABLES
from hde.check.record_paths import Path
from hde.check.recorded import Recorded
from hde.check.written import RECORD, Written
from hde.mapping.expression import is_plain
from hde.spec.mapping import Mapping

_WORDS = {word for table in TABLES.values() for column in table.columns for word in column.words} | set(METRICS)
_TRUTH = {"true": "true", "yes": "true", "false": "false", "no": "false"}
_NAMES = ("account", "row", "parent", "index")


def missing_path(one: Written, path: Path, mapping: Mapping, seen: Recorded, whole: Recorded | None) -> str:
    """`seen` are the fixtures of what is read; `whole` those of the record around the items."""
    said = seen.missing(path)
    bare = said.partition(". Did you mean")[0]
    if one.of != RECORD:
        return said
    if is_plain(one.text):
        names = one.text.split(".")
        if names[0] in (*mapping.with_, *_NAMES):
            return f"{bare}. Did you mean '${one.text}'?"
        if names[0] == mapping.from_ and seen.has(tuple(names[1:])) and names[1:]:
            return f"{bare}. Did you mean '{'.'.join(names[1:])}'?"
        if one.here.scope.each is not None and whole is not None and whole.has(tuple(names)):
            return f"{bare}. Did you mean '$parent.{one.text}'?"
        if len(names) == 1 and (one.text in _WORDS or one.text in _TRUTH):
            return f"{bare}; a fixed value is {{const: {_TRUTH.get(one.text, one.text)}}}"
    elif re.search(rf"[=!]=\s*\"?{re.escape(path[-1])}\b(?!\.)", one.text):
        return f"{bare}; a text stands in single quotes: '{path[-1]}'"
    return said

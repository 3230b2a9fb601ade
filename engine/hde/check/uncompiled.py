"""Which expressions of a source are not compiled: jmespath.py walks their tree, with the same results but slowly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hde.check.folders import Pair, yaml_files
from hde.check.place import dig
from hde.mapping.expression import NAMED, ExpressionError, not_compiled
from hde.spec.load import LOOKUPS
from hde.spec.problem import dotted, quoted
from hde.spec.schema import SchemaName, texts_of
from hde.spec.yaml_file import parse_yaml


def uncompiled_lines(pair: Pair) -> Iterator[str]:
    """A line for a person for each such expression of a connector and its mappings."""
    yield from _in_file(pair.connector, "connector")
    for file in yaml_files(pair.mappings) if pair.mappings.is_dir() else ():
        if file.name != LOOKUPS:
            yield from _in_file(file, "mapping")


def _in_file(path: Path, kind: SchemaName) -> Iterator[str]:
    file, _ = parse_yaml(path)
    if file is None:
        return
    reasons = {text: why for text in texts_of(file.data, kind, ("jmespath", "path")) if (why := _why(text))}
    for trail in file.values if reasons else ():
        text = dig(file.data, *trail)
        if isinstance(text, str) and text in reasons:
            line, _ = file.at(trail, value=True)
            yield f"{path}:{line}: {dotted(trail)}: {quoted(text)} is not compiled: {reasons[text]}"


def _why(text: str) -> str:
    named = NAMED.match(text)
    try:
        return not_compiled((named[2] or named[3] or "@") if named else text)
    except ExpressionError:
        return ""  # which is an error of the file

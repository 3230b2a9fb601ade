"""How a connector's records are written, held against what it asks of them: formats, files and paths to records."""

from __future__ import annotations

from collections.abc import Iterator

from hde.check.place import complain, in_resource
from hde.spec.connector import Connector
from hde.spec.problem import Problem
from hde.spec.yaml_file import YamlFile


def answers_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with the formats of a connector."""
    for resource in connector.resources.values():
        kind = resource.format.kind
        if resource.records is not None and kind in ("csv", "ndjson"):
            what = "row" if kind == "csv" else "line"
            trail = in_resource(file, resource.name, "records")
            how = "write `records: null`" if trail[0] == "shared" else "leave `records` out"
            yield complain(file, trail, f"in {kind} every {what} is a record: {how}")

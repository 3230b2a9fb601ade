"""Where a connector's records come from and how they are written: formats, files and what goes with neither."""

from __future__ import annotations

from collections.abc import Iterator

from hde.check.parts import no_requests, part_problems
from hde.check.place import complain, in_resource
from hde.check.reports import reports_problems
from hde.spec.connector import Connector, Resource
from hde.spec.problem import Problem
from hde.spec.yaml_file import YamlFile

_RECORD = {"csv": "row", "ndjson": "line", "pdf": "report"}


def answers_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with the formats and files of a connector."""
    has_files = [resource for resource in connector.resources.values() if resource.files is not None]
    if connector.files is not None and not has_files:
        yield complain(file, ("files",), "no resource has `files`, so none reads this folder", about_key=True)
    if not connector.http.base_url.text:
        yield from _without_http(connector, file)
    for resource in connector.resources.values():
        yield from _format(resource, file)
        yield from reports_problems(resource, file)
        if resource.files is not None:
            yield from _files(resource, connector, file)
        if resource.export is not None:
            yield from part_problems(resource, resource.export, connector, file)
    fed = {resource.export.of for resource in connector.resources.values() if resource.export}
    for name in connector.exports:
        if name not in fed and fed <= set(connector.exports):  # a misspelt one may have meant it
            yield complain(
                file, ("exports", name), f"no resource is fed by the export {name}", "warning", about_key=True
            )


def _without_http(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What only an API has."""
    for key in ("auth", "account"):
        if key in file.data:  # type: ignore[operator]  # a connector that could be read is a map
            message = f"{key} is for an API, and this connector has no `http`: --account says whose files are read"
            yield complain(file, (key,), message, about_key=True)
    for resource in connector.resources.values():
        if resource.files is None:
            key = "path" if resource.export is None else "export"
            message = f"{'a path' if key == 'path' else 'an export'} is asked for below http.base_url, and this"
            yield complain(file, in_resource(file, resource.name, key), f"{message} connector has no `http`")


def _format(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    kind = resource.format.kind
    if resource.records is not None and kind in _RECORD:
        what = _RECORD[kind]
        trail = in_resource(file, resource.name, "records")
        how = "write `records: null`" if trail[0] == "shared" else "leave `records` out"
        yield complain(file, trail, f"in {kind} every {what} is a record: {how}")


def _files(resource: Resource, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    assert resource.files is not None
    trail = in_resource(file, resource.name, "files")
    if connector.files is None:
        yield complain(file, trail, "which folder? Say it at the top: files: {folder: ...}")
    if resource.files.lower().endswith(".zip"):
        message = f"a ZIP is looked into like a folder: write which of its files ({resource.files}/*.csv)"
        yield complain(file, trail, message)
    if resource.format.zip is not None:
        message = "`zip` is for answers; among files a ZIP is looked into like a folder: files: '*.zip/*.csv'"
        yield complain(file, in_resource(file, resource.name, "format"), message)
    yield from no_requests(resource, file)

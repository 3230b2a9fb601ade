"""What a connector says about its raw tables, held against itself: keys, columns, times, shared entries."""

from __future__ import annotations

from collections.abc import Iterator

from hde.check.elements import each_fault, elements_problems
from hde.check.place import complain, dig, in_resource, written_columns
from hde.errors import WrongUse
from hde.mapping.times import pattern
from hde.spec.connector import HASH, Connector, OtherTime, RawColumn, Resource
from hde.spec.freeze import column_name
from hde.spec.problem import KeyPath, Problem, did_you_mean, with_hint
from hde.spec.yaml_file import YamlFile

_NO_KEYS = {
    "float": "1 and 1.0 would be two records; declare it text or bigint",
    "numeric": "1 and 1.0 would be two records; declare it text or bigint",
    "jsonb": "name a column of one value inside it",
}
_TIMES = ("timestamptz", "date")


def tables_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with the raw tables of a connector."""
    if connector.name != connector.file.stem:
        message = f"{connector.name} stands in {connector.file.name}, where nothing looks for it: give both one name"
        yield complain(file, ("name",), message, "warning")
    for resource in connector.resources.values():
        yield from _columns(resource, connector, file)
        yield from _key(resource, file)
        if resource.window and resource.window.time is not None:
            yield from _time(resource, connector, file)
        yield from _shape(resource, file)
    yield from elements_problems(connector, file)
    yield from _shared(file)


def column_trail(file: YamlFile, resource: str, column: RawColumn) -> KeyPath:
    """Where a raw column is declared: its name in YAML is often the path it is named after."""
    for trail, declared in written_columns(file, resource):
        path = declared.get("path", trail[-1]) if isinstance(declared, dict) else trail[-1]
        if column_name(str(trail[-1])) == column.name and path == column.path:
            return trail
    return in_resource(file, resource, "columns")


def _columns(resource: Resource, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    if not resource.columns:
        message = f"{resource.name} has no columns: nothing but the payload is kept"
        yield complain(file, ("resources", resource.name), message, "warning")
    for column in resource.columns:
        trail = column_trail(file, resource.name, column)
        if column.path.startswith("$") and (fault := _dollar_fault(column.path, resource, connector)):
            yield complain(file, trail, fault)
        if column.time and (fault := _time_fault(column)):
            yield complain(file, (*trail, "time"), fault)
        if column.names and connector.account is None and connector.files is None:
            message = "whose record it is can be told only with an `account` in this connector"
            yield complain(file, (*trail, "names"), message)


def _time_fault(column: RawColumn) -> str | None:
    if column.type not in _TIMES:
        return f"{column.name} is {column.type}; `time` says how a timestamptz or a date is written"
    if column.time in ("epoch", "epoch_ms"):
        is_instant = column.type == "timestamptz"
        return None if is_instant else f"{column.time} counts to an instant: make {column.name} a timestamptz"
    try:
        pattern(str(column.time))
    except WrongUse as error:
        return str(error).removeprefix("time: ")
    return None


def _dollar_fault(path: str, resource: Resource, connector: Connector) -> str | None:
    account = ["$account.id", *(f"$account.{name}" for name in connector.account.keep)] if connector.account else []
    window = ["$window.start", "$window.end"] if resource.window else []
    of_file = ["$file.name", "$file.modified"] if resource.files else []
    if path in account or path in window or path in of_file or path == HASH:
        return None
    if path == "$each" or path.startswith("$each."):
        return each_fault(path.removeprefix("$each").removeprefix("."), resource)
    if path.startswith("$account") and not connector.account:
        return f"{path} needs an `account` in this connector: it says whose data this is"
    if path.startswith("$window") and not window:
        return f"{path} needs a `window`, and {resource.name} has none"
    if path.startswith("$file") and not of_file:
        return f"{path} needs `files`, and {resource.name} is asked for"
    known = [*account, *window, *of_file, *(["$each"] if resource.for_each else [])]
    there_is = f" There is {', '.join(known)}" if known else ""
    return f"{path} does not exist.{did_you_mean(path, known) or there_is}"


def _key(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    trail = in_resource(file, resource.name, "key")
    names = [column.name for column in resource.columns]
    for index, name in enumerate(resource.key):
        column = resource.column(name)
        if column is None:
            message = with_hint(f"{name} is not a column of {resource.name}", name, names)
            yield complain(file, (*trail, index), message)
        elif column.type in _NO_KEYS:
            yield complain(file, (*trail, index), f"{name} is {column.type}, no key: {_NO_KEYS[column.type]}")
        if name in resource.key[:index]:
            yield complain(file, (*trail, index), f"{name} is in the key twice")


def _time(resource: Resource, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    trail = in_resource(file, resource.name, "window", "time")
    assert resource.window is not None
    time = resource.window.time
    if not isinstance(time, OtherTime):
        yield from _time_column(resource, str(time), trail, file)
        return
    if resource.column(time.key) is None:
        names = [column.name for column in resource.columns]
        message = with_hint(f"{time.key} is not a column of {resource.name}", time.key, names)
        yield complain(file, (*trail, "key"), message)
    other = connector.resources.get(time.from_)
    if other is None and dig(file.data, "resources", time.from_) is not None:
        return  # it stands there with a mistake of its own
    if other is None:
        message = with_hint(f"{time.from_} is not a resource", time.from_, connector.resources)
        yield complain(file, (*trail, "from"), message)
        return
    if other is resource:
        yield complain(file, (*trail, "from"), f"{time.from_} is this resource itself: write `time: {time.column}`")
    elif len(other.key) != 1:
        message = f"{other.name} cannot be found by {time.key}: its key is [{', '.join(other.key)}], not one column"
        yield complain(file, (*trail, "from"), message)
    yield from _time_column(other, time.column, (*trail, "column"), file)


def _time_column(resource: Resource, name: str, trail: KeyPath, file: YamlFile) -> Iterator[Problem]:
    column = resource.column(name)
    if column is None:
        names = [column.name for column in resource.columns if column.type in _TIMES]
        yield complain(file, trail, with_hint(f"{name} is not a column of {resource.name}", name, names))
    elif column.type not in _TIMES:
        yield complain(file, trail, f"{resource.name}.{name} is {column.type}, no time: timestamptz and date are")


def _shape(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    window = resource.window
    if resource.missing == "delete" and window is not None and window.time is None:
        trail = in_resource(file, resource.name, "missing")
        message = "delete needs `time` in the window: without it, what a window should contain is not known"
        yield complain(file, trail, message)
    if resource.missing == "keep" and dig(file.data, *in_resource(file, resource.name, "missing_share")) is not None:
        trail = in_resource(file, resource.name, "missing_share")
        yield complain(file, trail, "nothing is deleted here: `missing: delete` lets records go", "warning")
    if resource.observe and window is not None:
        trail = in_resource(file, resource.name, "observe")
        message = "observe is for sources that only tell the present; a window asks for the past: take one of them"
        yield complain(file, trail, message)
    elif resource.observe and resource.missing == "delete":
        trail = in_resource(file, resource.name, "missing")
        yield complain(file, trail, "an observed resource keeps every version seen; there is nothing to delete")


def _shared(file: YamlFile) -> Iterator[Problem]:
    shared, resources = dig(file.data, "shared"), dig(file.data, "resources")
    users = resources.values() if isinstance(resources, dict) else ()
    used = {user.get("like") for user in users if isinstance(user, dict)}
    for name in shared if isinstance(shared, dict) else ():
        if name not in used:
            yield complain(file, ("shared", name), f"no resource is `like: {name}`", "warning")

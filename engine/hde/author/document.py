"""An OpenAPI 3 document from a local file: read, bounded, its references followed inside the document only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from hde.errors import WrongUse

LARGEST = 20_000_000
DEEPEST = 200
MOST_PARTS = 2_000_000
"""Maps, lists and values: an alias in YAML can stand for a great many."""
LONGEST_TRAIL = 50
"""References that lead to references."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_METHODS = ("get",)


class Document:
    """The document. Whatever in it is no map where a map belongs counts as an empty one."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def at(self, *names: str) -> Any:
        """What stands at a place, references followed; None where nothing does."""
        found: Any = self.data
        for name in names:
            found = self.resolved(found).get(name)
        return self.resolved(found) if isinstance(found, dict) else found

    def resolved(self, value: Any) -> dict[str, Any]:
        """A map with its `$ref` followed; an empty map for what is none, or leads in a circle.

        WrongUse for a reference out of the document.
        """
        for _ in range(LONGEST_TRAIL):
            if not isinstance(value, dict):
                return {}
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            value = self.referred(reference)
        return {}

    def referred(self, reference: str) -> Any:
        """What a `$ref` names."""
        if not reference.startswith("#"):
            raise WrongUse(
                f"$ref {reference[:80]!r} leads out of the document; bundle it into one file first (nothing is fetched)"
            )
        found: Any = self.data
        for part in reference.removeprefix("#").lstrip("/").split("/") if reference != "#" else ():
            name = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            if isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                found = found.get(name) if isinstance(found, dict) else None
        return found

    def operations(self) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
        """Each GET: its path, the operation, and its parameters, those of the path included."""
        for path, item in self.resolved(self.data.get("paths")).items():
            item = self.resolved(item)
            for method in _METHODS:
                operation = self.resolved(item.get(method))
                if operation and isinstance(path, str):
                    yield path, operation, self._parameters(item, operation)

    def _parameters(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for said in (item.get("parameters"), operation.get("parameters")):
            for one in said if isinstance(said, list) else ():
                parameter = self.resolved(one)
                found[str(parameter.get("name", "")), str(parameter.get("in", ""))] = parameter
        return [one for (name, _), one in found.items() if name]


def read_document(file: Path) -> Document:
    """The document in a file; WrongUse where it is none, or larger or deeper than one ever is."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise WrongUse(f"{file} has more than {LARGEST // 1_000_000} MB; that is the most")
    data = _parsed(file, content)
    version = str(data.get("openapi", "")) if isinstance(data, dict) else ""
    if isinstance(data, dict) and "swagger" in data:
        raise WrongUse(f"{file} is Swagger {data['swagger']!s:.10}; convert it to OpenAPI 3 first")
    if not isinstance(data, dict) or not version.startswith("3."):
        raise WrongUse(f"{file} is no OpenAPI 3 document: there is no `openapi: 3...` at its top")
    if not isinstance(data.get("paths"), dict):
        raise WrongUse(f"{file} describes no paths")
    return Document(data)


def _parsed(file: Path, content: bytes) -> object:
    try:
        text = content.decode("utf-8-sig")
        data: object = json.loads(text) if text.lstrip()[:1] == "{" else _yaml(text)
    except UnicodeDecodeError:
        raise WrongUse(f"{file} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise WrongUse(f"{file}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise WrongUse(f"{where}: not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}") from None
    except (RecursionError, ValueError):
        raise WrongUse(f"{file} is nested too deeply, or holds a value that cannot be read") from None
    if not _is_bounded(data):
        raise WrongUse(f"{file} is nested too deeply, or holds more than {MOST_PARTS} values")
    return data


def _yaml(text: str) -> object:
    """Every value as text but numbers, true, false and null: a date is what it looks like."""

    resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in _LOADER.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader=type("Loader", (_LOADER,), {"yaml_implicit_resolvers": resolvers}))


def _is_bounded(data: object) -> bool:
    todo = [(data, 0)]
    count = 0
    while todo:
        one, depth = todo.pop()
        below = list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
        count += 1 + len(below)
        if depth > DEEPEST or count > MOST_PARTS:
            return False
        todo += [(part, depth + 1) for part in below]
    return True

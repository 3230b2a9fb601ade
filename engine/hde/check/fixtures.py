"""Reads the recorded records that lie beside a mapping, bounded and inside their folder only; judges none of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jmespath.exceptions import JMESPathError

from hde.errors import WrongUse
from hde.mapping.expression import compile
from hde.spec.connector import Resource
from hde.spec.problem import Problem, did_you_mean

LARGEST = 1_000_000
"""Bytes of one fixture: a record, not an export."""
MOST = 500
"""Fixtures of one resource."""


class FixtureError(WrongUse):
    """A fixture that cannot be read. `problem` says where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.file}:{problem.line}:{problem.column}: {problem.message}")
        self.problem = problem


def fixtures(mappings_folder: Path, resource: str) -> dict[str, object]:
    """The records in `fixtures/RESOURCE/*.json` by file name without `.json`; FixtureError at the first bad one."""
    records, problems = read_fixtures(mappings_folder, resource)
    if problems:
        raise FixtureError(problems[0])
    return records


def read_fixtures(mappings_folder: Path, resource: str) -> tuple[dict[str, object], list[Problem]]:
    """The same, with every problem instead of the first."""
    top = mappings_folder / "fixtures"
    folder = top / resource
    records: dict[str, object] = {}
    problems: list[Problem] = []
    if folder.parent != top or not folder.resolve().is_relative_to(top.resolve()):
        return records, [Problem(str(folder), 1, 1, "", "fixtures stand in fixtures/RESOURCE", "error")]
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if len(files) > MOST:
        problems.append(Problem(str(folder), 1, 1, "", f"{len(files)} fixtures; the first {MOST} are read", "warning"))
    for file in files[:MOST]:
        try:
            records[file.stem] = _record(file, folder)
        except FixtureError as error:
            problems.append(error.problem)
    return records, problems


def pages_problems(mappings_folder: Path, resource: Resource, records: Mapping[str, object]) -> Iterator[Problem]:
    """Fixtures that hold a whole answer: the list of records is in them, and the key of a record is not."""
    if resource.records is None:
        return
    columns = [column for name in resource.key if (column := resource.column(name)) and column.path[0] != "$"]
    for name, record in records.items():
        items = _read(resource.records, record)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            continue
        if not any(_read(column.path, record) is not None for column in columns):
            file = mappings_folder / "fixtures" / resource.name / f"{name}.json"
            message = f"a whole answer, and a fixture is one record: keep one element of {resource.records}"
            yield Problem(str(file), 1, 1, "", message, "error")


def misplaced_problems(mappings_folder: Path, resources: Sequence[str]) -> Iterator[Problem]:
    """Fixtures where nothing looks for them. Answers that tests play back may lie anywhere below `fixtures`."""
    top = mappings_folder / "fixtures"
    for found in sorted(top.iterdir()) if top.is_dir() else ():
        if found.is_file() and found.suffix == ".json":
            message = "nothing reads it here: a fixture stands in fixtures/RESOURCE"
            yield Problem(str(found), 1, 1, "", message, "warning")
        elif found.is_dir() and found.name not in resources and (hint := did_you_mean(found.name, resources)):
            message = f"no resource is called {found.name}, so nothing reads what lies in it.{hint}"
            yield Problem(str(found), 1, 1, "", message, "warning")


def _read(path: str, record: object) -> object:
    try:
        return compile(path)(record)
    except (JMESPathError, WrongUse):
        return None


def _record(file: Path, folder: Path) -> object:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise _bad(file, "a link out of the fixtures folder is not followed")
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise _bad(file, f"larger than {LARGEST} bytes: a fixture is one record")
        record: object = json.loads(content)
    except json.JSONDecodeError as error:
        message, at = _not_json(error)
        before = error.doc[:at]
        raise _bad(file, message, before.count("\n") + 1, at - before.rfind("\n")) from None
    except (RecursionError, UnicodeDecodeError):
        raise _bad(file, "not JSON: nested too deeply, or not UTF-8") from None
    except OSError as error:
        raise _bad(file, f"cannot be read: {error.strerror}") from None
    if not isinstance(record, dict):
        raise _bad(file, "a fixture is one record: an object, not a list or a page of records")
    return record


def _not_json(error: json.JSONDecodeError) -> tuple[str, int]:
    """The parser's complaint, and where it is: the same in every version of Python."""
    text, at = error.doc, error.pos
    before, here = text[:at].rstrip(), text[at : at + 1]
    if not text.strip():
        return "the file is empty", 0
    if here == "," or (before.endswith(",") and here in ("}", "]")):
        return "not JSON: a comma with nothing after it; take it out", at if here == "," else len(before) - 1
    if here and here in "'#/“":
        return f"not JSON, which has no {'comments' if here in '#/' else 'quotes but the double ones'}", at
    if "delimiter" in error.msg:
        return f"not JSON: a {error.msg.split(chr(39))[1]} is missing before this", at
    if "control character" in error.msg:
        return "not JSON: a line break or a tab inside a text", at
    if "Extra data" in error.msg:
        return "not JSON: more stands after its end; one file is one record", at
    return "not JSON: a value or a name in double quotes is missing here", at


def _bad(file: Path, message: str, line: int = 1, column: int = 1) -> FixtureError:
    return FixtureError(Problem(str(file), line, column, "", message, "error"))

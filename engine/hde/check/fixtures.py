"""Reads the recorded records that lie beside a mapping, bounded and inside their folder only; judges none of them."""

from __future__ import annotations

import json
from pathlib import Path

from hde.errors import WrongUse
from hde.spec.problem import Problem

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
        raise _bad(file, f"not JSON: {error.msg}", error.lineno, error.colno) from None
    except (RecursionError, UnicodeDecodeError):
        raise _bad(file, "not JSON: nested too deeply, or not UTF-8") from None
    except OSError as error:
        raise _bad(file, f"cannot be read: {error.strerror}") from None
    if not isinstance(record, dict):
        raise _bad(file, "a fixture is one record: an object, not a list or a page of records")
    return record


def _bad(file: Path, message: str, line: int = 1, column: int = 1) -> FixtureError:
    return FixtureError(Problem(str(file), line, column, "", message, "error"))

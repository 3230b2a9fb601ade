"""The official test suite of SQL on FHIR: each view translated and run, its rows compared with what it expects.

The suite is not part of this repository. It is read from the folder that HDE_SQL_ON_FHIR_TESTS names, else from a
package that carries it and that `run_all.py test` has downloaded (not installed).
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hde.author.viewdefinition.speak import say
from hde.author.viewdefinition.trial import rows_of
from hde.author.viewdefinition.view import read_view
from hde.errors import WrongUse

HERE = Path(__file__).resolve().parents[2]
DOWNLOADED = HERE / ".venv" / "suites"
PAGE = HERE / "docs" / "viewdefinitions.md"
WRONG = "wrong: "


class Case(NamedTuple):
    title: str
    shareable: bool
    test: dict[str, Any]
    resources: list[dict[str, Any]]


def suite() -> Iterator[dict[str, Any]]:
    folder = os.environ.get("HDE_SQL_ON_FHIR_TESTS")
    if folder:
        yield from (json.loads(file.read_text(encoding="utf-8")) for file in sorted(Path(folder).glob("*.json")))
        return
    for wheel in sorted(DOWNLOADED.glob("fhir4ds_v2-*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if re.search(r"/viewdef/tests/spec_tests/\w+\.json\Z", name):
                    yield json.loads(archive.read(name))


CASES = [
    Case(f"{file['title']}: {test['title']}", "shareable" in test.get("tags", ()), test, file["resources"])
    for file in suite()
    for test in file.get("tests", ())
]


def fails(case: Case) -> str:
    """Why a case does not pass; empty where it does."""
    try:
        view = read_view(case.test["view"])
        rows = rows_of(view, say(view), case.resources)
    except WrongUse as error:
        return "" if case.test.get("expectError") else str(error)
    names = [column.name for column in view.columns]
    if case.test.get("expectError"):
        return f"{WRONG}no error"
    if case.test.get("expectColumns", names) != names:
        return f"{WRONG}columns {names}"
    wanted = case.test["expect"]
    names = sorted({*names, *(name for row in wanted for name in row)})
    return "" if as_bag(rows, names) == as_bag(wanted, names) else f"{WRONG}{len(rows)} rows, not those of the suite"


def as_bag(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    """Rows in no order; a column that is not there is null."""
    return sorted(json.dumps([row.get(name) for name in names], default=float) for row in rows)


@pytest.mark.skipif(not CASES, reason="the suite is not here (HDE_SQL_ON_FHIR_TESTS, or run_all.py test)")
def test_as_many_cases_pass_as_the_docs_say_and_the_others_are_refused() -> None:
    failed = {number: why for number, case in enumerate(CASES) if (why := fails(case))}
    page = PAGE.read_text(encoding="utf-8")
    for shareable, kind in ((True, "shareable"), (False, "others")):
        every = [number for number, case in enumerate(CASES) if case.shareable == shareable]
        passed = [number for number in every if number not in failed]
        assert f"{len(passed)} of {len(every)} {kind}" in page, failed
    assert [(CASES[number].title, why) for number, why in failed.items() if why.startswith(WRONG)] == []

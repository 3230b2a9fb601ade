"""Views as mappings: what is written, and what the engine makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hde.author.viewdefinition.speak import say
from hde.author.viewdefinition.trial import NotOneValue, rows_of
from hde.author.viewdefinition.view import Unreadable, read_file, read_view
from hde.errors import WrongUse

VIEWS = yaml.safe_load((Path(__file__).parent / "viewdefinition_views.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [one for one in VIEWS if "mapping" in one], ids=lambda one: one["title"])
def test_a_view_is_a_mapping_and_its_rows_come_out(case: dict[str, Any]) -> None:
    view = read_view(case["view"])
    said = say(view)
    assert said.mapping("records", "t") == case["mapping"]
    assert rows_of(view, said, case["resources"]) == case["rows"]


@pytest.mark.parametrize("case", [one for one in VIEWS if "refused" in one], ids=lambda one: one["title"])
def test_everything_that_is_wrong_is_said_at_once(case: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as refused:
        say(read_view(case["view"]))
    assert sorted(map(str, refused.value.complaints)) == sorted(case["refused"])


def test_several_values_where_one_is_wanted_are_no_value() -> None:
    view = read_view({"resource": "Patient", "select": [{"column": [{"name": "family", "path": "name.family"}]}]})
    said = say(view)
    one, two = ({"resourceType": "Patient", "name": [{"family": "A"}] * times} for times in (1, 2))
    assert rows_of(view, said, [one]) == [{"family": "A"}]
    with pytest.raises(NotOneValue):
        rows_of(view, said, [two])


@pytest.mark.parametrize("text", ["", "{", "\udcff", "[" * 100_000, '{"resource": "Patient"} x'])
def test_what_is_no_json_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "view.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(WrongUse) as refused:
        read_file(file)
    assert str(refused.value) == f"{file}: it is no JSON"


def test_a_view_that_would_be_endless_is_refused() -> None:
    union = {"unionAll": [{"column": [{"name": "a", "path": "id"}]}] * 8}
    selects = [json.loads(json.dumps(union).replace('"a"', f'"a{number}"')) for number in range(3)]
    with pytest.raises(Unreadable, match="more than 50 kinds of rows"):
        say(read_view({"resource": "Patient", "select": selects}))
    deep: dict[str, Any] = {"column": [{"name": "a", "path": "id"}]}
    for _ in range(30):
        deep = {"select": [deep]}
    with pytest.raises(Unreadable, match="nested too deeply"):
        read_view({"resource": "Patient", "select": [deep]})

"""A ViewDefinition becomes a mapping file that validates, or the columns of a raw table, or is refused as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from run_made import call

DOCS = Path(__file__).parents[2] / "docs"
CONNECTOR = """
name: hospital
http: {base_url: "https://fhir.example.com"}
account: {path: /me, id: id}
resources:
  observations: {path: /Observation, records: "entry[].resource", key: [id], columns: {id: text}}
"""
VITALS: dict[str, Any] = {
    "resourceType": "ViewDefinition",
    "resource": "Observation",
    "constant": [{"name": "pulse", "valueCode": "8867-4"}],
    "select": [
        {
            "column": [
                {"name": "id", "path": "getResourceKey()"},
                {"name": "taken", "path": "effective.ofType(dateTime)"},
                {"name": "bpm", "path": "value.ofType(Quantity).value"},
                {"name": "metric", "path": "'heart_rate'"},
            ]
        }
    ],
    "where": [{"path": "code.coding.where(code = %pulse).exists()"}],
}
AS = ("--to", "biometrics_vitals", "--as", "taken=start_time", "--as", "bpm=value", "--unit", "value=/min")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "hospital.yaml").write_text(CONNECTOR)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def view(folder: Path, **changed: Any) -> str:
    (folder / "view.json").write_text(json.dumps({**VITALS, **changed}))
    return "view.json"


def test_it_is_written_validates_and_maps(folder: Path) -> None:
    done = call("import", "viewdefinition", view(folder), *AS, "--for", "hospital/observations")
    assert done.code == 0, done.said
    file = folder / "mappings" / "hospital" / "observations.yaml"
    assert yaml.safe_load(file.read_text()) == {
        "from": "observations",
        "when": "(code.coding[?code == '8867-4'] | [0]) != `null`",
        "to": {
            "biometrics_vitals": {
                "columns": {
                    "start_time": "effectiveDateTime",
                    "value": {"path": "valueQuantity.value", "unit": "/min"},
                    "metric": {"const": "heart_rate"},
                }
            }
        },
    }
    assert "left out, no column of biometrics_vitals: id" in done.err
    assert "hde validate hospital: 1 warning in it" in done.out  # that there is no fixture
    again = call("import", "viewdefinition", "view.json", *AS, "--for", "hospital/observations")
    assert again.code == 2
    assert "`--force` writes it anew" in again.err
    assert call("import", "viewdefinition", "view.json", *AS, "--for", "hospital/observations", "--force").code == 0


@pytest.mark.parametrize(
    "kind",
    [
        "https://sql-on-fhir.org/ig/StructureDefinition/ViewDefinition",
        "http://hl7.org/fhir/uv/sql-on-fhir/StructureDefinition/ViewDefinition",
    ],
)
def test_published_files_name_their_kind_by_its_address(folder: Path, kind: str) -> None:
    assert call("import", "viewdefinition", view(folder, resourceType=kind), *AS).code == 0
    done = call("import", "viewdefinition", view(folder, resourceType=kind.replace("View", "Structure")), *AS)
    assert done.code == 2
    assert "is no ViewDefinition" in done.err


def test_the_example_of_the_docs_says_what_it_says(folder: Path) -> None:
    text = (DOCS / "viewdefinitions.md").read_text()
    command, _, said = text.partition("$ hde ")[2].partition("\n```")[0].partition("\n")
    columns = [
        {"name": "id", "path": "getResourceKey()"},
        {"name": "subject", "path": "subject.getReferenceKey()"},
        {"name": "taken", "path": "effective.ofType(dateTime)"},
        {"name": "metric", "path": "'weight'"},
        {"name": "kg", "path": "value.ofType(Quantity).value"},
    ]
    words = command.split()
    (folder / words[2]).write_text(json.dumps({**VITALS, "select": [{"column": columns}], "where": []}))
    done = call(*words)
    assert done.code == 0, done.said
    assert sorted((done.out + done.err).splitlines()) == sorted(said.splitlines())


def test_a_mapping_goes_where_its_connector_reads_them(folder: Path) -> None:
    (folder / "connectors" / "clinic.yaml").write_text(CONNECTOR.replace("hospital", "clinic") + "mappings: hospital\n")
    done = call("import", "viewdefinition", view(folder), *AS, "--for", "clinic/observations")
    assert done.code == 2
    assert done.err.splitlines() == [
        "hde: --for clinic/observations: connectors/clinic.yaml reads mappings/hospital, not mappings/clinic:"
        " --for hospital/observations"
    ]
    assert not (folder / "mappings").exists()
    assert call("import", "viewdefinition", "view.json", *AS, "--for", "hospital/observations").code == 0


def test_without_a_place_it_is_shown(folder: Path) -> None:
    done = call("import", "viewdefinition", view(folder), *AS)
    assert done.code == 0
    assert yaml.safe_load(done.out)["from"] == "observations"
    assert not (folder / "mappings").exists()


def test_without_a_table_it_is_the_columns_of_a_raw_table(folder: Path) -> None:
    done = call("import", "viewdefinition", view(folder))
    assert done.code == 0
    assert yaml.safe_load(done.out) == {
        "columns": {
            "id": {"type": "text", "path": "join('/', [resourceType, id])"},
            "taken": {"type": "text", "path": "effectiveDateTime"},
            "bpm": {"type": "numeric", "path": "valueQuantity.value"},
        }
    }
    assert "its `where` is left out" in done.err
    assert "metric is the same in every record" in done.err


FORM = {
    "resourceType": "QuestionnaireResponse",
    "id": "a",
    "authored": "2026-01-01T00:00:00Z",
    "item": [
        {"linkId": "1", "item": [{"linkId": "1.1", "answer": [{"valueString": "x"}]}]},
        {"linkId": "2", "answer": [{"valueString": "y", "item": [{"linkId": "2.1", "answer": [{"valueInteger": 3}]}]}]},
    ],
}
ITEMS: dict[str, Any] = {
    "resource": "QuestionnaireResponse",
    "where": [],
    "select": [
        {"column": [{"name": "start_time", "path": "authored"}]},
        {
            "repeat": ["item", "answer.item"],
            "column": [{"name": "name", "path": "linkId"}],
            "select": [{"forEach": "answer", "column": [{"name": "value_text", "path": "value.ofType(string)"}]}],
        },
    ],
}


def test_a_tree_is_checked_against_fixtures_however_deep_they_are(folder: Path) -> None:
    (folder / "connectors" / "hospital.yaml").write_text(CONNECTOR.replace("observations:", "forms:"))
    for path, said in {
        "fixtures/forms/one.json": json.dumps(FORM),
        "tests/forms.yaml": "mapping: forms\n"
        "tests: [{title: all, given: {fixture: one}, expect: {observations: {count: 3}}}]",
    }.items():
        file = folder / "mappings" / "hospital" / path
        file.parent.mkdir(parents=True)
        file.write_text(said)
    done = call("import", "viewdefinition", view(folder, **ITEMS), "--to", "observations", "--for", "hospital/forms")
    assert [line.partition("forms.")[2] for line in done.out.splitlines()[1:-1]] == [
        "yaml:2:1: from: forms.item[].answer[].item[].answer[].valueInteger is in fixture 'one' and no mapping reads or"
        " ignores it",
        "yaml:2:1: from: forms.resourceType is in fixture 'one' and no mapping reads or ignores it",
    ]
    assert call("test", "hospital").out == "1 passed, 0 failed\n"
    file = folder / "mappings" / "hospital" / "forms.yaml"
    file.write_text(file.read_text().replace("nested: [item", "nested: [itm"))
    assert "each[0].nested[0]: no fixture of forms has itm. Did you mean 'item'?" in call("validate", "hospital").said


LOINC = "http://loinc.org"
CODES = {
    f"code.coding.where(system = '{LOINC}').code.first()": {"path": "code.coding", "prefer": [LOINC]},
    "code.coding.where(system = %loinc and display.exists()).first().code": {
        "path": "code.coding[?system == 'http://loinc.org' && display != `null`]",
        "prefer": ["*"],
    },
    "code.coding.code.first()": {"path": "code.coding", "prefer": ["*"]},
    "code": {"path": "code", "prefer": ["*"]},
}


@pytest.mark.parametrize("path", CODES)
def test_a_code_is_read_in_its_coding(folder: Path, path: str) -> None:
    columns = [{"name": "code", "path": path}, {"name": "source_value", "path": "value.ofType(string)"}]
    done = call("import", "viewdefinition", view(folder, select=[{"column": columns}], where=[]), "--to", "lab_results")
    assert done.code == 0, done.said
    said = yaml.safe_load(done.out)["to"]["lab_results"]["columns"]
    assert said == {"code": CODES[path], "source_value": "valueString"}
    assert "`prefer` says which of several codes counts" in done.err


def test_a_part_that_may_be_missing_is_null_in_a_raw_table(folder: Path) -> None:
    part = {"forEach": "value.ofType(Quantity)", "column": [{"name": "bpm", "path": "value"}]}
    done = call("import", "viewdefinition", view(folder, select=[part], where=[]))
    assert yaml.safe_load(done.out) == {"columns": {"bpm": {"type": "numeric", "path": "valueQuantity.value"}}}
    assert "leaves out what has no such part" in done.err


TWO = [{"column": [{"name": "a", "path": "issued.toString()"}, {"name": "value", "path": "value"}]}]
REFUSED = {
    "what JMESPath cannot say, a line each": (
        {"select": TWO},
        AS[:2],
        [
            "hde: view.json: select[0].column[1].path: value is one of several types: say which, as "
            "value.ofType(string)",
        ],
    ),
    "what is left out is not translated": ({"select": TWO}, (), ["toString() has no counterpart", "value is one of"]),
    "a unit that nobody said": (
        {},
        AS[:-2],
        ["view.json: to.biometrics_vitals.columns.value: unit: the source's unit is missing", "--unit COLUMN=UNIT"],
    ),
    "a required column that nothing fills": (
        {},
        (*AS[:2], *AS[4:]),
        ["start_time is required", "(--as NAME=start_time, NAME a"],
    ),
    "no table": ({}, ("--to", "biometrics_vital"), ["Did you mean 'biometrics_vitals'?"]),
    "no column of the table": (
        {"select": [{"column": [{"name": "a", "path": "id"}]}]},
        AS[:2],
        ["No column of the view is one of biometrics_vitals", "The view has a; biometrics_vitals has start_time"],
    ),
    "a name that is not in the view": (
        {},
        (*AS, "--as", "take=end_time"),
        ["the view has no column 'take'", "'taken'?"],
    ),
    "a name that is not in the table": ({}, (*AS, "--as", "id=methods"), ["no column 'methods'", "'method'?"]),
    "a column of the engine": ({}, (*AS, "--as", "id=local_date"), ["no column 'local_date'"]),
    "one column twice": ({}, (*AS, "--as", "id=value"), ["two columns of the view are to be value"]),
    "rows of a list, without a table": (
        {"select": [{"forEach": "component", "column": [{"name": "a", "path": "id"}]}]},
        (),
        ["a raw table has one row per record"],
    ),
    "options of a table, without one": ({}, ("--unit", "value=ms"), ["go with --to TABLE"]),
    "a code without its coding": (
        {"select": [{"column": [{"name": "code", "path": "status"}]}]},
        ("--to", "lab_results"),
        ["a code without its coding"],
    ),
    "no pair": ({}, (*AS, "--as", "taken"), ["--as taken: NAME=VALUE was expected"]),
    "no place": ({}, (*AS, "--for", "hospital"), ["SOURCE/RESOURCE was expected"]),
    "a way out of the folder": ({}, (*AS, "--for", "../x/y"), ["SOURCE/RESOURCE was expected"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_nothing_is_written(folder: Path, case: str) -> None:
    changed, options, said = REFUSED[case]
    done = call("import", "viewdefinition", view(folder, **changed), *options)
    assert done.code == 2
    assert done.out == ""
    for words in said:
        assert words in done.err
    assert not (folder / "mappings").exists()

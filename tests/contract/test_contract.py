"""The contract holds for every kind of pagination and window, and each mistake in a connector breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from contract_made import RESOURCES, write_source

from hde.contract.check import Fresh, Verdict, check_contract
from hde.contract.shape import CannotBeMade, answer_with
from hde.mapping.expression import compile
from hde.spec.load import load_source, mappings_folder


def verdicts(file: Path, fresh: Fresh, home: Path, like: Path | None = None) -> list[Verdict]:
    folder = mappings_folder(file)
    reference = load_source(like, mappings_folder(like)) if like else None
    return list(check_contract(load_source(file, folder), folder, fresh, home, like=reference))


def broken(found: list[Verdict]) -> list[Verdict]:
    return [one for one in found if one.problem or one.skipped]


def test_every_kind_of_pagination_and_window_keeps_the_contract(fresh: Fresh, tmp_path: Path) -> None:
    found = verdicts(write_source(tmp_path, *RESOURCES), fresh, tmp_path)
    assert broken(found) == []
    kept = {one.of for one in found if one.promise == "running again changes nothing"}
    assert set(RESOURCES) < kept
    assert "made/by_body" in kept


def test_words_by_which_an_answer_says_that_all_is_well_are_no_errors_here(fresh: Fresh, tmp_path: Path) -> None:
    rule = """{status: 200, body: "status != `0`", do: fail}"""
    file = write_source(tmp_path, "by_url", change=("    key:", f"    errors: [{rule}]\n    key:"))
    file.write_text(file.read_text().replace("http: {", f"http: {{errors: [{rule}], "))
    assert broken(verdicts(file, fresh, tmp_path)) == []


def test_what_cannot_be_simulated_names_the_key_and_the_expression(fresh: Fresh, tmp_path: Path) -> None:
    file = write_source(tmp_path, "by_url", change=("records: entry", "records: '[entry, more][]'"))
    assert "records: no answer can be made in which '[entry, more][]' finds what it must" in {
        one.skipped for one in broken(verdicts(file, fresh, tmp_path))
    }


MISTAKES = [
    ("by_offset", "{{ page.offset }}", "{{ page.offset + page.offset }}", "every record arrives once"),
    ("by_offset", "records: data.items", "records: data.itemz", "pages end"),
    ("by_offset", "format: epoch_ms", "format: epoch", "every record arrives once"),
    ("by_offset", "key: [id]", "key: [v]", "every record arrives once"),
    ("by_link", "kind: link_header", "kind: url, next: next", "every record arrives once"),
    ("by_link", "{kind: link_header}", "null", "every record arrives once"),
    ("by_body", "meta.next", "meta.nxt", "every record arrives once"),
    ("by_body", "widen: {before: 2d, after: 1d}", "widen: {before: 1d}", "every record arrives once"),
    ("by_body", ", widen: {before: 2d, after: 1d}", "", "every record arrives once"),
    ("by_page", "first: 0", "first: 1", "every record arrives once"),
    ("by_page", "key: [id, kind]", "key: [kind]", "every record arrives once"),
    ("by_url", "between {{ window.start }} and {{ window.end }}", "between {{ window.end }} and {{ window.start }}",
     "every record arrives once"),
    ("by_url", "next: links.next", "next: links.self", "every record arrives once"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "right", "wrong", "promise"), MISTAKES, ids=lambda value: str(value)[:24])
def test_a_mistake_breaks_the_contract(
    fresh: Fresh, tmp_path: Path, resource: str, right: str, wrong: str, promise: str
) -> None:
    like = write_source(tmp_path / "right", resource)
    file = write_source(tmp_path / "wrong", resource, change=(right, wrong))
    found = broken(verdicts(file, fresh, tmp_path, like))
    assert promise in {one.promise for one in found}, found


def test_an_end_shown_inclusive_to_a_source_that_excludes_it_loses_records(fresh: Fresh, tmp_path: Path) -> None:
    excludes = write_source(tmp_path / "right", "by_link", change=(", end: inclusive", ""))
    includes = write_source(tmp_path / "wrong", "by_link")
    found = broken(verdicts(includes, fresh, tmp_path, excludes))
    assert [one.promise for one in found] == ["every record arrives once"]
    assert "never arrived" in found[0].problem


def test_a_key_that_two_fixtures_share_at_different_times_is_found_without_another_version(
    fresh: Fresh, tmp_path: Path
) -> None:
    file = write_source(tmp_path, "by_offset", change=("key: [id]", "key: [v]"))
    other = tmp_path / "mappings" / "made" / "fixtures" / "by_offset" / "record_1.json"
    other.write_text(json.dumps(json.loads(other.read_text()) | {"v": 70.5}))
    (found,) = (one for one in broken(verdicts(file, fresh, tmp_path)) if one.promise == "keys are unique")
    assert found.problem == "fixtures record_0 and record_1 have one v, at different times"


def test_a_resource_without_fixtures_is_named(fresh: Fresh, tmp_path: Path) -> None:
    file = write_source(tmp_path, "by_url")
    for fixture in (tmp_path / "mappings" / "made" / "fixtures" / "by_url").iterdir():
        fixture.unlink()
    assert ("has fixtures", "by_url") in {(one.promise, one.of) for one in broken(verdicts(file, fresh, tmp_path))}


ODD = """\
name: odd
http: {base_url: "https://odd.example"}
account: {path: /me, id: id, keep: {zone: zone, region: region}}
settings: {folder: {}}
files: {folder: "{{ settings.folder }}"}
resources:
  filed: {files: "*.csv", format: csv, key: [id], columns: {id: bigint, v: float}}
  table: {path: /table, format: csv, key: [id], columns: {id: bigint, v: float}}
  rows: {for_each: {resource: table, path: id}, path: "/table/{{ each }}", key: [id], columns: {id: bigint}}
  waits: {path: /waits, key: [id], columns: {id: bigint}}
  regional:
    path: "/{{ account.region }}/all"
    key: [id]
    columns: {id: bigint}
    when_stored: {method: PUT, path: "/{{ account.region }}/{{ record.id }}"}
"""
ODD_MAPPINGS = {
    "waits": "from: waits\nwith: {t: {from: table, key: id}}\ncolumns: {start_time: at}\n"
    "to: {biometrics_vitals: {rows: {weight: {value: {path: $t.v, unit: kg}}}}}\n"
    "ignore: {id: key, v: none, local: none}\n",
    "regional": "from: regional\ncolumns: {start_time: {path: local, time: '%Y-%m-%d', zone: $account.zone}}\n"
    "to: {biometrics_vitals: {rows: {weight: {value: {path: v, unit: kg}}}}}\nignore: {id: key, at: none}\n",
}


def test_what_cannot_be_simulated_is_skipped_with_all_that_hangs_on_it(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mine.csv").write_text("id,v\n1,a person's own\n")
    monkeypatch.setenv("ODD_FOLDER", str(tmp_path / "real"))
    file, mappings = tmp_path / "connectors" / "odd.yaml", tmp_path / "mappings" / "odd"
    record = {"id": 1, "v": 1.5, "at": "2026-01-01T00:00:00Z", "local": "2026-01-01"}
    for name, text in {
        file: ODD,
        **{mappings / f"{name}.yaml": text for name, text in ODD_MAPPINGS.items()},
        **{mappings / "fixtures" / name / "one.json": json.dumps(record) for name in ("rows", "waits", "regional")},
        **{mappings / "fixtures" / name / "one.json": '{"id": "1", "v": "1.5"}' for name in ("table", "filed")},
    }.items():
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_text(text)
    found = verdicts(file, fresh, tmp_path)
    assert {one.of: one.skipped for one in broken(found)} == {
        "filed": "it is read from files of a folder, which nothing simulates",
        "table": "answers in csv are not simulated",
        "rows": "its elements come from table, which is skipped",
        "odd/waits": "its records wait for table, which is skipped",
    }
    assert ("maps", "odd/regional") in {(one.promise, one.of) for one in found}


@pytest.mark.parametrize(
    "path",
    ["data", "data.items", "a-b.items", "entry[].resource", "entry[*].resource", "entry[].resource || `[]`",
     "a | b", "@", "sets[0].items", "items[]", "days.*.record"],
)  # fmt: skip
def test_an_answer_is_made_for_a_path(path: str) -> None:
    records = [{"id": 1}, {"id": 2}]
    assert compile(path)(answer_with(path, records)) == records


@pytest.mark.parametrize("path", ["length(items)", "items[?kind=='x']", "sort_by(items, &id)", "items[-1].x.y[1:2]"])
def test_a_path_that_cannot_be_turned_round_is_said(path: str) -> None:
    with pytest.raises(CannotBeMade):
        answer_with(path, [{"id": 1}, {"id": 2}])

"""A connector that is like another: what it takes over, what it does not, and where its complaints point."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_made import CONNECTOR, MAPPING, write

from hde.spec.load import mappings_folder, read_source, resolved

CLINIC = """\
name: clinic-two
like: demo
mappings: demo
http: {headers: {Accept: application/fhir+json}}
shared: {list: {window: {settle: 30d}}}
resources:
  naps: null
  body: {path: /weight}
"""


def _read(folder: Path, own: str, connector: str = CONNECTOR, **texts: str) -> list[str]:
    write(folder, connector=connector, **texts)
    file = folder / "connectors/clinic-two.yaml"
    file.write_text(own, encoding="utf-8")
    return [str(one).replace(f"{folder}/", "") for one in read_source(file, mappings_folder(file))[1]]


def test_it_is_the_other_with_its_own_over_it(tmp_path: Path) -> None:
    assert _read(tmp_path, CLINIC) == []
    file = tmp_path / "connectors/clinic-two.yaml"
    source, _ = read_source(file, mappings_folder(file))
    assert source is not None
    connector = source.connector
    assert (connector.name, connector.schema, connector.file) == ("clinic-two", "clinic_two_raw", file)
    assert connector.settings["key"].variable(connector.name) == "CLINIC_TWO_KEY"
    assert list(connector.http.headers) == ["Authorization", "Accept"]
    assert list(connector.resources) == ["sleeps", "body"]
    assert connector.resources["body"].request.path.text == "/weight"
    window = connector.resources["sleeps"].window
    assert window is not None
    assert window.settle.days == 30, "what a resource is like is merged afterwards"
    assert [mapping.name for mapping in source.mappings] == ["clinic-two/sleeps"]
    assert next(iter(resolved(file))) == "name"
    assert "like" not in resolved(file)


def test_mappings_of_what_it_does_not_fetch_are_left_out(tmp_path: Path) -> None:
    assert _read(tmp_path, CLINIC + "  sleeps: null\n") == []
    file = tmp_path / "connectors/clinic-two.yaml"
    source, _ = read_source(file, mappings_folder(file))
    assert source is not None
    assert source.mappings == ()


def test_mappings_are_its_own_unless_it_shares(tmp_path: Path) -> None:
    _read(tmp_path, CLINIC)
    assert mappings_folder(tmp_path / "connectors/clinic-two.yaml") == tmp_path / "mappings/demo"
    _read(tmp_path, CLINIC.replace("mappings: demo\n", ""), connector=CONNECTOR + "mappings: other\n")
    assert mappings_folder(tmp_path / "connectors/clinic-two.yaml") == tmp_path / "mappings/clinic-two"
    assert mappings_folder(tmp_path / "connectors/demo.yaml") == tmp_path / "mappings/other"


@pytest.mark.parametrize(
    ("own", "other", "complaints"),
    [
        (("like: demo", "like: dem"), None, [
            "connectors/clinic-two.yaml:2:7: like: no connector 'dem': connectors/dem.yaml is not there. "
            "Did you mean 'demo'?"]),
        (("like: demo", "like: clinic-two"), None,
         ["connectors/clinic-two.yaml:2:7: like: clinic-two is this connector itself"]),
        (("like: demo", "like: [demo]"), None,
         ["connectors/clinic-two.yaml:2:7: like: the name of a connector beside this file is expected here"]),
        (None, ("name: demo", "name: demo\nlike: base"),
         ["connectors/clinic-two.yaml:2:7: like: demo is like 'base' itself: one level, no chains; name that one"]),
        (("{path: /weight}", "{mehod: POST}"), None, [
            "connectors/clinic-two.yaml:8:10: resources.body.mehod: unknown key 'mehod'. Did you mean 'method'?"]),
        (None, ("kind: cursor", "kind: curser"), [
            "connectors/demo.yaml:11:24: shared.list.pagination.kind: 'curser' is not one of cursor, page, offset, "
            "url, link_header. Did you mean 'cursor'?"]),
        (("{path: /weight}", "{path: /weight, key: null}"), None,
         ["connectors/clinic-two.yaml:8:3: resources.body: 'key' is missing"]),
        (("settle: 30d", "settle: 30"), None, [
            "connectors/clinic-two.yaml:5:34: shared.list.window.settle: a span of time (90d, 12h, 30m, "
            "45s or 2w) is expected here, and this is the number 30"]),
        (None, ("{weight: float}", "{payload: float}"), [
            "connectors/demo.yaml:31:15: resources.body.columns.payload: 'payload' is the whole record, which is "
            "always there"]),
        (("name: clinic-two\n", ""), None, ["connectors/clinic-two.yaml:1:1: 'name' is missing"]),
        (None, ("resources:", "  resources:"), None),
    ],
)  # fmt: skip
def test_complaints_name_the_file_in_which_it_was_written(
    tmp_path: Path, own: tuple[str, str] | None, other: tuple[str, str] | None, complaints: list[str] | None
) -> None:
    clinic = CLINIC.replace(*own, 1) if own else CLINIC
    connector = CONNECTOR.replace(*other, 1) if other else CONNECTOR
    found = _read(tmp_path, clinic, connector, mapping=MAPPING)
    if complaints is None:
        assert any(one.startswith("connectors/demo.yaml:") for one in found)
    else:
        assert found == complaints

"""The JSON Schemas are the one truth: complete in themselves, and the dataclasses hold exactly what they say."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hde.mapping import units
from hde.spec import (
    connector,
    elements,
    export,
    freeze_sign_in,
    mapping,
    mapping_test,
    report,
    request,
    resource_test,
    sign_in,
)
from hde.spec.elsewhere import resolved
from hde.spec.formats import format_checker
from hde.spec.reference import PAGE, main, reference
from hde.spec.schema import SCHEMAS, SchemaName, schema


def nodes(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema, and its path."""
    if not isinstance(node, dict):
        return
    yield path, node
    for keyword in ("properties", "patternProperties", "$defs"):
        for key, below in node.get(keyword, {}).items():
            yield from nodes(below, f"{path}/{keyword}/{key}")
    for keyword in ("items", "additionalProperties", "if", "then", "else", "not"):
        yield from nodes(node.get(keyword), f"{path}/{keyword}")
    for keyword in ("anyOf", "oneOf", "allOf"):
        for index, below in enumerate(node.get(keyword, ())):
            yield from nodes(below, f"{path}/{keyword}/{index}")


def properties(name: SchemaName) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property of a schema with its path, also those of any name; `$ref` resolved, but not what only narrows."""
    root = schema(name)
    for path, node in nodes(root, ""):
        if any(part in path for part in ("/then", "/if", "/else", "/shape", "/complete")):
            continue
        for keyword in ("properties", "patternProperties"):
            for key, below in node.get(keyword, {}).items():
                yield f"{path}/{key}", resolved(below, root)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: SchemaName) -> None:
    root = schema(name)
    Draft202012Validator.check_schema(root)
    assert root["$id"] == f"{name}.schema.json"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_has_a_description_and_examples_and_every_object_is_closed(name: SchemaName) -> None:
    for path, said in properties(name):
        assert said.get("description"), path
        assert said["description"].endswith("."), path
        assert said.get("examples"), path
    for path, node in nodes(schema(name), ""):
        if node.get("type") == "object" and ("properties" in node or "patternProperties" in node):
            assert node.get("additionalProperties") is False, path
        if "patternProperties" in node and list(node["patternProperties"]) != ["^"]:
            assert "x-names" in node, path
        if "pattern" in node:
            assert "x-words" in node, path


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_example_and_default_is_valid(name: SchemaName) -> None:
    root = schema(name)
    for path, said in properties(name):
        validator = Draft202012Validator({**said, "$defs": root["$defs"]}, format_checker=format_checker())
        for example in [*said["examples"], *([said["default"]] if "default" in said else [])]:
            assert [error.message for error in validator.iter_errors(example)] == [], path
    assert list(Draft202012Validator(root, format_checker=format_checker()).iter_errors(root["examples"][0])) == []


def _def(name: SchemaName, path: str) -> dict[str, Any]:
    node: Any = schema(name)
    for part in path.split("/") if path else ():
        node = node[int(part)] if isinstance(node, list) else node[part]
    assert isinstance(node, dict)
    return node


REQUEST = {"path", "method", "params", "headers", "json", "form"}
PAIRS: list[tuple[type, SchemaName, str, set[str], set[str]]] = [
    # dataclass, schema, its place, fields that are no keys, keys that are no fields
    (connector.Connector, "connector", "", {"file"}, {"shared", "like"}),
    (connector.Setting, "connector", "$defs/setting", {"name"}, set()),
    (connector.Http, "connector", "$defs/http", set(), set()),
    (sign_in.Tenants, "connector", "$defs/tenants", set(), set()),
    (connector.Files, "connector", "$defs/files", set(), set()),
    (connector.RateLimit, "connector", "$defs/rate_limit", set(), set()),
    (connector.Wait, "connector", "$defs/wait", set(), set()),
    (connector.ErrorRule, "connector", "$defs/error_rule", set(), set()),
    (sign_in.Basic, "connector", "$defs/basic", set(), set()),
    (sign_in.OAuth2Code, "connector", "$defs/oauth2_code", set(), set()),
    (sign_in.OAuth2Client, "connector", "$defs/oauth2_client", set(), set()),
    (sign_in.SessionLogin, "connector", "$defs/session", set(), set()),
    (sign_in.Client, "connector", "$defs/client", set(), set()),
    (sign_in.Authorize, "connector", "$defs/authorize", set(), set()),
    (sign_in.TokenRequest, "connector", "$defs/token_request", set(), set()),
    (sign_in.TokenError, "connector", "$defs/token_error", set(), set()),
    (sign_in.Expires, "connector", "$defs/expires/anyOf/1", {"after"}, set()),
    (sign_in.Login, "connector", "$defs/login", {"request"}, REQUEST),
    (sign_in.TokenPlace, "connector", "$defs/session/properties/token/anyOf/1", {"body"}, set()),
    (sign_in.Send, "connector", "$defs/session/properties/send", set(), set()),
    (request.Errand, "connector", "$defs/errand", {"request"}, REQUEST),
    (sign_in.Revocation, "connector", "$defs/revoke", set(), REQUEST - {"params"} | {"errors"}),
    (connector.AccountRequest, "connector", "$defs/account", {"request"}, REQUEST),
    (connector.Resource, "connector", "$defs/resource", {"name", "request"}, REQUEST | {"like"}),
    (connector.RawColumn, "connector", "$defs/raw_column/anyOf/1", {"name"}, set()),
    (connector.Format, "connector", "$defs/format", set(), set()),
    (report.ReportTemplate, "connector", "$defs/report_template", {"name"}, set()),
    (report.Detect, "connector", "$defs/report_detect", set(), set()),
    (report.ReportTable, "connector", "$defs/report_table", set(), set()),
    (report.Numbers, "connector", "$defs/report_numbers", set(), set()),
    (report.ReportRow, "connector", "$defs/report_row", set(), set()),
    (report.Unmatched, "connector", "$defs/report_unmatched", set(), set()),
    (connector.Where, "connector", "$defs/where/anyOf/1", {"body"}, set()),
    (connector.Window, "connector", "$defs/window", {"widen_before", "widen_after"}, {"widen"}),
    (connector.Bookmark, "connector", "$defs/bookmark", set(), set()),
    (request.Errand, "connector", "$defs/receipt", {"request"}, REQUEST),
    (elements.Parents, "connector", "$defs/parents", set(), set()),
    (export.Export, "connector", "$defs/order", {"name", "request"}, REQUEST),
    (request.Errand, "connector", "$defs/export_request", {"request"}, REQUEST),
    (export.Poll, "connector", "$defs/poll", set(), set()),
    (export.Told, "connector", "$defs/told", set(), set()),
    (export.Part, "connector", "$defs/export", set(), set()),
    (export.Deleted, "connector", "$defs/deleted", set(), set()),
    (connector.OtherTime, "connector", "$defs/window/properties/time/anyOf/1", set(), set()),
    (connector.Cursor, "connector", "$defs/pagination/allOf/0/then", set(), set()),
    (connector.PageNumber, "connector", "$defs/pagination/allOf/1/then", set(), set()),
    (connector.Offset, "connector", "$defs/pagination/allOf/2/then", set(), set()),
    (connector.NextUrl, "connector", "$defs/pagination/allOf/3/then", set(), set()),
    (connector.LinkHeader, "connector", "$defs/pagination/allOf/4/then", set(), set()),
    (mapping.Mapping, "mapping", "", {"name", "file", "text_hash"}, {"columns", "each", "key"}),
    (mapping.Reference, "mapping", "$defs/reference", {"name"}, set()),
    (mapping.Target, "mapping", "$defs/target", {"table"}, {"columns"}),
    (mapping.Each, "mapping", "$defs/each_map", {"path", "around"}, set()),
    (mapping.UnitRead, "mapping", "$defs/unit_map", set(), set()),
    (mapping.RowSet, "mapping", "$defs/row", {"name", "columns"}, set()),
    (mapping.Reading, "mapping", "$defs/reading_map", {"has_const"}, {"unknown", "case"}),
    (mapping.LocalOffset, "mapping", "$defs/amount", set(), set()),
    (mapping.Plus, "mapping", "$defs/plus_map", set(), set()),
    (mapping_test.MappingTest, "mapping-test", "$defs/test", {"mapping", "where"}, set()),
    (mapping_test.Given, "mapping-test", "$defs/fixture", {"record"}, set()),
    (mapping_test.ManyRows, "mapping-test", "$defs/many_rows", set(), set()),
    (mapping_test.ExpectedIssue, "mapping-test", "$defs/issue", set(), set()),
    (resource_test.ResourceTest, "mapping-test", "$defs/resource_test", {"resource", "where"}, set()),
    (resource_test.Exchange, "mapping-test", "$defs/exchange", {"number", "where"}, set()),
    (resource_test.Asked, "mapping-test", "$defs/asked", set(), set()),
    (resource_test.Answer, "mapping-test", "$defs/answer", {"has_json"}, set()),
    (resource_test.Expectation, "mapping-test", "$defs/expectation", set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "place", "no_keys", "no_fields"), PAIRS)
def test_the_dataclasses_have_the_properties_of_the_schema(
    kind: type, name: SchemaName, place: str, no_keys: set[str], no_fields: set[str]
) -> None:
    fields = {field.name.removesuffix("_") for field in dataclasses.fields(kind)}
    assert fields - no_keys == set(_def(name, place)["properties"]) - no_fields


@pytest.mark.parametrize(("kind", "name", "place", "no_keys", "no_fields"), PAIRS)
def test_the_defaults_are_those_of_the_schema(
    kind: type, name: SchemaName, place: str, no_keys: set[str], no_fields: set[str]
) -> None:
    said = _def(name, place)["properties"]
    for field in dataclasses.fields(kind):
        key = field.name.removesuffix("_")
        if key in said and said[key] is not True and "default" in resolved(said[key], schema(name)):
            factory: Any = field.default_factory
            default = factory() if field.default is dataclasses.MISSING else field.default
            default = list(default) if isinstance(default, tuple) else default
            assert default == resolved(said[key], schema(name))["default"], key


def test_the_kinds_of_the_schema_are_those_that_are_frozen() -> None:
    kinds = _def("connector", "$defs/pagination/properties/kind")["enum"]
    frozen = (connector.Cursor, connector.PageNumber, connector.Offset, connector.NextUrl, connector.LinkHeader)
    assert kinds == [dataclasses.fields(kind)[-1].default for kind in frozen]
    branches = _def("connector", "$defs/pagination")["allOf"]
    assert kinds == [branch["if"]["properties"]["kind"]["const"] for branch in branches]
    assert kinds == [branch["then"]["x-kind"] for branch in branches]


def test_the_kinds_of_sign_in_are_those_that_are_frozen() -> None:
    branches = [resolved(branch, schema("connector")) for branch in _def("connector", "properties/auth")["oneOf"]]
    kinds = [branch["properties"]["kind"]["const"] for branch in branches]
    assert kinds == [dataclasses.fields(kind)[-1].default for kind in typing.get_args(sign_in.Auth)]
    assert kinds == list(freeze_sign_in.KINDS)


def test_a_shared_beginning_has_every_key_of_a_resource_but_like() -> None:
    resource, shape = (_def("connector", f"$defs/{name}")["properties"] for name in ("resource", "shape"))
    assert set(resource) - {"like"} == set(shape)
    assert all(said == {"$ref": f"#/$defs/resource/properties/{key}"} for key, said in shape.items())


@pytest.mark.parametrize("unit", ["ms", "/min", "%", "m", "kJ"])
def test_the_units_in_the_examples_are_understood(unit: str) -> None:
    assert units.conversion(unit, unit)(1.5) == 1.5


def test_the_reference_page_is_what_the_schemas_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, "python -m hde.spec.reference > docs/reference.md"
    assert main([]) == 0
    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8")


def test_the_reference_page_has_every_key() -> None:
    page = reference()
    for name in SCHEMAS:
        for path, said in properties(name):
            key = path.rsplit("/", 1)[1]
            if "/patternProperties" not in path and not key.startswith("^"):
                assert f"`{key}`" in page, path
                assert said["description"].replace("|", "\\|") in page, path


def test_drift_of_the_reference_page_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    page = tmp_path / "reference.md"
    page.write_text("old\n")
    monkeypatch.setattr("hde.spec.reference.PAGE", page)
    assert main(["--check"]) == 1

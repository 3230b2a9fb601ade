"""The examples in the schemas are executed: each, put into a whole file, is read, frozen and compiled, and asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hde.source.outgoing import rendered
from hde.spec.load import load_source
from hde.spec.schema import schema

CONNECTOR, MAPPING = schema("connector"), schema("mapping")
THINGS = {"path": "/things", "key": ["id"], "columns": {"id": "bigint", "start": "timestamptz"}}
CODE = {
    "kind": "oauth2_code",
    "client": {"id": "app"},
    "authorize": {"url": "https://example.com/authorize", "redirect_uri": "http://localhost:8765/callback"},
    "token": {"url": "https://example.com/token"},
}
CLIENT = {
    "kind": "oauth2_client",
    "client": {"id": "app", "secret": "s"},
    "token": {"url": "https://example.com/token"},
}
DISCOVERED = {"origins": {"discovery": "https://example.com/.well-known/openid-configuration"}}
PLACES = {"url": "https://example.com/places", "name": "name", "settings": {"base_url": "address"}}
SESSION = {"kind": "session", "login": {"path": "/login"}, "token": "token", "send": {"header": "X-Session"}}
RESULT = {"kind": "result", "match": {"line": "(?P<name>[A-Z ]+) (?P<value>[0-9.]+)"}}
TEMPLATE = {"detect": {"all": ["Example"]}, "table": {"key": ["name"], "rows": [RESULT]}}
SCOPE: dict[str, Any] = {
    "account": {"id": "7", "since": "2015-01-01", "zone": "Europe/Vienna"},
    "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
    "page": {"cursor": "next", "number": 2, "offset": 50, "size": 50},
    "each": {"id": "e"},
    "record": {"id": "r"},
    "bookmark": "token",
    "export": {"url": "https://example.com/status/1", "id": "1", "document": "d"},
}


def connector(**top: Any) -> dict[str, Any]:
    """A whole connector with the example in it, and every setting it names."""
    whole = {"name": "example", "http": {"base_url": "https://example.com"}, "resources": {"things": THINGS}, **top}
    named = re.findall(r"settings\.([a-z_]+)", json.dumps(whole))
    return {**whole, "settings": {**{name: {} for name in named}, **whole.get("settings", {})}}


def resource(**said: Any) -> dict[str, Any]:
    return connector(resources={"things": {**THINGS, **said}, "nights": THINGS}, shared={"collection": {}})


def of_files(pattern: str, folder: str = "exports") -> dict[str, Any]:
    things = {key: said for key, said in THINGS.items() if key != "path"}
    return connector(files={"folder": folder}, resources={"asked": THINGS, "things": {**things, "files": pattern}})


def exported(part: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    """A connector with an export that keeps what all examples name, and a resource that it feeds."""
    things = {key: one for key, one in THINGS.items() if key != "path"}
    keep = {"url": {"header": "Content-Location"}, "id": "id", "document": "document"}
    order = {"path": "/$export", "keep": keep, "status": {"path": "{{ export.url }}"}}
    if "bookmark" in json.dumps([said, part]) or "deleted" in (part or {}):
        order |= {"bookmark": "time", "params": {"_since": "{{ bookmark }}"}}
    fed = {**things, "export": {"of": "everything", "files": "files", **(part or {})}}
    return connector(exports={"everything": {**order, **said}}, resources={"asked": THINGS, "things": fed})


def named(part: dict[str, Any]) -> dict[str, Any]:
    """A connector with a resource that is fed by an export of the name in the example."""
    whole = exported(part)
    return {**whole, "exports": {whole["resources"]["things"]["export"]["of"]: whole["exports"]["everything"]}}


def of_format(key: str, example: Any) -> dict[str, Any]:
    """The smallest format that takes the key."""
    if key == "kind":
        return of_reports()["resources"]["things"]["format"] if example == "pdf" else {"kind": example}
    if key in ("templates", "patterns"):
        return {"kind": "pdf", "templates": {"one": TEMPLATE}, key: example}
    return {"kind": "csv", key: example}


def of_reports(**said: Any) -> dict[str, Any]:
    return resource(format={"kind": "pdf", "templates": {"one": {**TEMPLATE, **said}}})


def of_kind(definition: str, key: str, example: Any) -> dict[str, Any]:
    """The smallest map of a kind that takes the key."""
    for branch in CONNECTOR["$defs"][definition]["allOf"]:
        kind = branch["if"]["properties"]["kind"].get("const")
        if kind and key in branch["then"]["properties"]:
            more = {"next": "next"} if kind in ("cursor", "url") else {"size": 10} if key == "stop" else {}
            return {**more, "kind": kind, key: example}
    return {key: example}


FRAMES: dict[str, Any] = {
    "": lambda key, example: (
        exported(**example["everything"])
        if key == "exports"
        else connector(**{key: example})
        if key != "shared"
        else resource(like="collection")
    ),
    "setting": lambda key, example: connector(settings={"it": {key: example}}),
    "http": lambda key, example: connector(http={"base_url": "https://example.com", key: example}),
    "rate_limit": lambda key, example: connector(
        http={"base_url": "https://example.com", "rate_limits": [{"requests": 1, "per": "1m", key: example}]}
    ),
    "wait": lambda key, example: connector(
        http={"base_url": "https://example.com", "wait": {"header": "X-Wait", key: example}}
    ),
    "error_rule": lambda key, example: resource(errors=[{"status": 418, "do": "fail", key: example}]),
    "basic": lambda key, example: connector(auth={"kind": "basic", "username": "a", "password": "b", key: example}),
    "oauth2_code": lambda key, example: connector(auth={**CODE, **DISCOVERED.get(key, {}), key: example}),
    "oauth2_client": lambda key, example: connector(auth={**CLIENT, **DISCOVERED.get(key, {}), key: example}),
    "session": lambda key, example: connector(auth={**SESSION, key: example}),
    "authorize": lambda key, example: connector(auth={**CODE, "authorize": {**CODE["authorize"], key: example}}),
    "token_request": lambda key, example: connector(auth={**CODE, "token": {**CODE["token"], key: example}}),
    "token_error": lambda key, example: connector(
        auth={**CODE, "token": {**CODE["token"], "errors": [{"status": 418, "do": "fail", key: example}]}}
    ),
    "login": lambda key, example: connector(auth={**SESSION, "login": {"path": "/login", key: example}}),
    "errand": lambda key, example: connector(auth={**CODE, "after_consent": {"path": "/users", key: example}}),
    "account": lambda key, example: connector(account={"path": "/me", "id": "id", key: example}),
    "tenants": lambda key, example: connector(
        auth=CODE, settings={"base_url": {}}, tenants={**PLACES, key: example}, account={"id": "id"}
    ),
    "files": lambda key, example: of_files("*.csv", **{key: example}),
    "resource": lambda key, example: (
        of_files(example) if key == "files" else exported(example) if key == "export" else resource(**{key: example})
    ),
    "order": lambda key, example: exported(**{key: example}),
    "export_request": lambda key, example: exported(result={"path": "/result", key: example}),
    "poll": lambda key, example: exported(poll={key: example}),
    "told": lambda key, example: exported(warnings={"files": "errors", "text": "text", key: example}),
    "export": lambda key, example: named({key: example}),
    "deleted": lambda key, example: exported(
        {"deleted": {"files": "gone", "records": "@", "key": "{id}", key: example}}
    ),
    "format": lambda key, example: resource(format=of_format(key, example)),
    "report_template": lambda key, example: of_reports(**{key: example}),
    "report_detect": lambda key, example: of_reports(detect={key: example}),
    "report_table": lambda key, example: of_reports(table={"key": ["name"], "rows": [RESULT], key: example}),
    "report_row": lambda key, example: of_reports(table={"key": ["name"], "rows": [{**RESULT, key: example}]}),
    "report_numbers": lambda key, example: of_reports(
        table={"key": ["name"], "rows": [RESULT], "numbers": {"in": ["value"], key: example}}
    ),
    "report_unmatched": lambda key, example: of_reports(unmatched={key: example}),
    "pagination": lambda key, example: resource(pagination=of_kind("pagination", key, example)),
    "window": lambda key, example: resource(window={"settle": "1d", key: example}),
    "parents": lambda key, example: resource(for_each={"resource": "nights", key: example}),
    "bookmark": lambda key, example: resource(bookmark={"next": "token", key: example}),
    "receipt": lambda key, example: resource(when_stored={"path": "/done", key: example}),
}
ELSEWHERE = {"client", "revoke", "complete", "shape"}
"""Alternatives that exclude each other, shown whole in the kinds above; parts that only repeat."""


def examples() -> Iterator[Any]:
    places = {"": CONNECTOR, **CONNECTOR["$defs"]}
    for name, place in places.items():
        for key, said in place.get("properties", {}).items() if name not in ELSEWHERE else ():
            for number, example in enumerate(said.get("examples", ()) if isinstance(said, dict) else ()):
                yield pytest.param(name, key, example, id=f"{name or 'connector'}.{key}-{number}")


def test_every_part_of_the_connector_schema_has_a_frame() -> None:
    parts = {name for name, place in CONNECTOR["$defs"].items() if place.get("properties")}
    assert parts - ELSEWHERE == set(FRAMES) - {""}


@pytest.mark.parametrize(("part", "key", "example"), list(examples()))
def test_an_example_works_in_a_whole_connector(tmp_path: Path, part: str, key: str, example: Any) -> None:
    whole = FRAMES[part](key, example)
    if part == "" and key == "name":
        whole["name"] = example
    if part == "" and key == "like":
        (tmp_path / f"{example}.yaml").write_text(json.dumps(connector(name=example)), encoding="utf-8")
    file = tmp_path / f"{whole['name']}.yaml"
    file.write_text(json.dumps(whole), encoding="utf-8")
    loaded = load_source(file, tmp_path / "mappings").connector
    settings = dict.fromkeys(loaded.settings, "https://example.com")
    for one in loaded.resources.values():
        if one.files is not None:
            assert loaded.files is not None
            assert loaded.files.folder.render({**SCOPE, "settings": settings})
            continue
        requests = [one.request, *([one.when_stored.request] if one.when_stored else [])]
        if one.export is not None:
            requests = list(loaded.exports[one.export.of].requests)
        for request in requests:
            sent = rendered(loaded.http, "https://example.com", request, {**SCOPE, "settings": settings})
            assert sent.url.startswith("https://example.com/")
            assert "{{" not in sent.url + str(sent.headers) + (sent.content or b"").decode()


@pytest.mark.parametrize("number", range(len(CONNECTOR["examples"])))
def test_the_whole_examples_work(tmp_path: Path, number: int) -> None:
    whole = CONNECTOR["examples"][number]
    file = tmp_path / f"{whole['name']}.yaml"
    file.write_text(json.dumps(whole), encoding="utf-8")
    assert load_source(file, tmp_path / "mappings").connector.resources


def mapping_examples() -> Iterator[Any]:
    for key, said in MAPPING["properties"].items():
        for example in said["examples"]:
            yield pytest.param({key: example, **({"each": "results"} if key == "key" else {})}, id=f"mapping.{key}")
    for key, said in MAPPING["$defs"]["reading_map"]["properties"].items():
        for example in said["examples"]:
            more = {} if key in ("path", "first", "sum", "const") else {"path": "a"}
            more |= {"lookup": {"a": "b"}} if key in ("unknown", "case") else {}
            if key in ("prefer", "system"):
                yield pytest.param({"to": {"conditions": {"columns": {"code": {"path": "a", key: example}}}}}, id=key)
                continue
            rows = {"heart_rate": {"start_time": {**more, key: example}, "value": {"path": "v", "unit": "/min"}}}
            said_whole = {"to": {"biometrics_vitals": {"each": "samples", "rows": rows}}}
            yield pytest.param(said_whole, id=f"reading.{key}-{str(example)[:20]}")


@pytest.mark.parametrize("said", list(mapping_examples()))
def test_an_example_works_in_a_whole_mapping(tmp_path: Path, said: dict[str, Any]) -> None:
    (tmp_path / "example.yaml").write_text(json.dumps(connector()), encoding="utf-8")
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "lookups.yaml").write_text("score_state: {SCORED: final}\n")
    to = {"sleep_sessions": {"columns": {"start_time": "start"}}}
    (folder / "things.yaml").write_text(json.dumps({"from": "things", "to": to, **said}), encoding="utf-8")
    assert load_source(tmp_path / "example.yaml", folder).mappings

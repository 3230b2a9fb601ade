"""`hde new --openapi`: what a document becomes, and documents that are meant to hurt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from author_made import call, new, said


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "Made up", "version": "1"},
        "servers": [{"url": "https://api.example.com/{stage}", "variables": {"stage": {"default": "v2"}}}],
        "paths": paths,
        **more,
    }


def get(schema: Any, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = {"description": "fine", "content": {"application/json": {"schema": schema}}}
    return {"get": {"parameters": list(parameters), "responses": {"200": answer}, **more}}


def query(name: str, **schema: Any) -> dict[str, Any]:
    required = schema.pop("required", False)
    return {"name": name, "in": "query", "required": required, "schema": schema}


def listed(item: Any, **beside: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"items": {"type": "array", "items": item}, **beside}}


THING = {
    "type": "object",
    "properties": {"id": {"type": "string", "format": "uuid"}, "n": {"type": "integer", "format": "int32"}},
}
TEXT = {"type": "string"}


def drafted(folder: Path, content: dict[str, Any], *options: str, as_yaml: bool = False) -> Any:
    file = folder / "api.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False) if as_yaml else json.dumps(content))
    new("made", "--openapi", "api.yaml", *options)
    return said("connectors/made.yaml")


def test_a_document_becomes_a_connector(folder: Path) -> None:
    night = {
        "allOf": [
            {"$ref": "#/components/schemas/Thing"},
            {
                "properties": {
                    "start": {"type": "string", "format": "date-time"},
                    "end": {"type": "string", "format": "date-time", "nullable": True},
                    "day": {"type": "string", "format": "date"},
                    "score": {"oneOf": [{"$ref": "#/components/schemas/Score"}, {"type": "null"}]},
                    "deep_minutes": {"type": "integer"},
                    "tags": {"type": "array", "items": TEXT},
                    "any": {},
                    "secret": {"type": "string", "writeOnly": True},
                }
            },
        ]
    }
    window = (query("start", type="string", format="date-time"), query("end", type="string", format="date-time"))
    pages = (query("limit", type="integer", maximum=25), query("nextToken", type="string"))
    content = document(
        {
            "/nights": get(listed(night, next_token={"type": "string", "nullable": True}), *window, *pages),
            "/naps": get(listed(night, next_token={"type": "string", "nullable": True}), *window, *pages),
            "/me/profile": get(
                {"type": "object", "properties": {"user_id": {"type": "integer"}, "email": TEXT, "first_name": TEXT}}
            ),
            "/nights/{id}": get(night),
            "/ping": get({"type": "string"}),
            "/old": get({"type": "array", "items": THING}, deprecated=True),
        },
        components={
            "schemas": {
                "Thing": THING,
                "Score": {"type": "object", "properties": {"total": {"type": "number"}, "raw": {"type": "boolean"}}},
            },
            "securitySchemes": {
                "O": {
                    "type": "oauth2",
                    "flows": {
                        "authorizationCode": {
                            "authorizationUrl": "https://login.example.com/a",
                            "tokenUrl": "/oauth/token",
                            "refreshUrl": "https://api.example.com/refresh",
                            "scopes": {"read": "", "offline": ""},
                        }
                    },
                }
            },
        },
    )
    connector = drafted(folder, content, as_yaml=True)
    assert connector["title"] == "Made up"
    assert connector["http"] == {"base_url": "https://api.example.com/v2"}
    assert connector["auth"]["authorize"]["url"] == "https://login.example.com/a"
    assert connector["auth"]["authorize"]["scopes"] == ["read", "offline"]
    assert connector["auth"]["token"] == {"url": "https://api.example.com/oauth/token"}
    assert connector["auth"]["refresh"] == {"url": "https://api.example.com/refresh"}
    assert connector["shared"] == {
        "collection": {
            "params": {
                "limit": 25,
                "start": "{{ window.start }}",
                "end": "{{ window.end }}",
                "nextToken": "{{ page.cursor }}",
            },
            "records": "items",
            "pagination": {"kind": "cursor", "next": "next_token"},
            "window": {"step": "30d", "settle": "7d", "from": "730d"},
        }
    }
    nights, naps, profile = (connector["resources"][name] for name in ("nights", "naps", "me_profile"))
    assert list(connector["resources"]) == ["nights", "naps", "me_profile"]
    assert nights["like"] == naps["like"] == "collection"
    assert nights["window"] == {"time": "start"}
    assert nights["columns"] == {
        "id": "uuid", "n": "int", "start": "timestamptz", "end": "timestamptz", "day": "date", "score.total": "float",
        "score.raw": "boolean", "deep_minutes": "bigint", "tags": "jsonb", "any": "jsonb",
    }  # fmt: skip
    assert profile["key"] == ["user_id"]
    mapping = said("mappings/made/nights.yaml")
    assert mapping["to"] == {"sleep_sessions": {"columns": {"deep": {"path": "deep_minutes", "unit": "min"}}}}


KEY = "{{ settings.key }}"


@pytest.mark.parametrize(
    ("scheme", "http"),
    [
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"headers": {"X-Key": KEY}}),
        ({"type": "apiKey", "in": "query", "name": "apikey"}, {"params": {"apikey": KEY}}),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, {"headers": {"Cookie": f"sid={KEY}"}}),
        ({"type": "http", "scheme": "Bearer"}, {"headers": {"Authorization": f"Bearer {KEY}"}}),
    ],
)
def test_keys_stand_where_the_document_says(folder: Path, scheme: dict[str, str], http: dict[str, Any]) -> None:
    content = document({"/t": get({"type": "array", "items": THING})}, components={"securitySchemes": {"K": scheme}})
    connector = drafted(folder, content)
    assert connector["http"] == {"base_url": "https://api.example.com/v2", **http}
    assert connector["settings"] == {"key": {"secret": True}}


CLIENT = {"id": "{{ settings.client_id }}", "secret": "{{ settings.client_secret }}"}
FLOW = {"tokenUrl": "https://a.example/t", "scopes": {"read": ""}}


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        (
            {"type": "http", "scheme": "basic"},
            {"kind": "basic", "username": "{{ settings.username }}", "password": "{{ settings.password }}"},
        ),
        (
            {"type": "oauth2", "flows": {"clientCredentials": FLOW}},
            {"kind": "oauth2_client", "client": CLIENT, "scopes": ["read"], "token": {"url": "https://a.example/t"}},
        ),
        (
            {"type": "openIdConnect", "openIdConnectUrl": "https://a.example/.well-known/openid-configuration"},
            {
                "kind": "oauth2_code",
                "client": CLIENT,
                "authorize": {"redirect_uri": "{{ settings.redirect_uri }}"},
                "discovery": "https://a.example/.well-known/openid-configuration",
            },
        ),
    ],
)
def test_sign_ins(folder: Path, scheme: dict[str, Any], auth: dict[str, Any]) -> None:
    content = document({"/t": get({"type": "array", "items": THING})}, components={"securitySchemes": {"K": scheme}})
    assert drafted(folder, content)["auth"] == auth


def test_a_sign_in_that_cannot_be_said_is_said(folder: Path) -> None:
    scheme = {"type": "http", "scheme": "digest"}
    content = document({"/t": get({"type": "array", "items": THING})}, components={"securitySchemes": {"K": scheme}})
    (folder / "api.json").write_text(json.dumps(content))
    assert "the security scheme 'K' (http digest) was not drafted" in new("made", "--openapi", "api.json").out


@pytest.mark.parametrize(
    ("parameters", "beside", "expected"),
    [
        (
            [query("page", type="integer", minimum=0), query("per_page", type="integer", default=20)],
            {},
            {"kind": "page", "first": 0, "size": 20},
        ),
        (
            [query("offset", type="integer"), query("limit", type="integer")],
            {"total": {"type": "integer"}},
            {"kind": "offset", "size": 100, "total": "total"},
        ),
        ([], {"next": {"type": "string", "format": "uri", "nullable": True}}, {"kind": "url", "next": "next"}),
        (
            [query("cursor", type="string")],
            {"meta": {"type": "object", "properties": {"next_cursor": TEXT}}},
            {"kind": "cursor", "next": "meta.next_cursor"},
        ),
    ],
)
def test_pages(folder: Path, parameters: list[Any], beside: dict[str, Any], expected: dict[str, Any]) -> None:
    connector = drafted(folder, document({"/t": get(listed(THING, **beside), *parameters)}))
    assert connector["resources"]["t"]["pagination"] == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            [query("from", type="string", format="date"), query("to", type="string", format="date")],
            {"step": "30d", "settle": "7d", "from": "730d", "format": "date", "end": "inclusive"},
        ),
        ([query("since", type="integer", required=True)], {"settle": "7d", "from": "730d", "format": "epoch"}),
    ],
)
def test_windows(folder: Path, parameters: list[Any], expected: dict[str, Any]) -> None:
    connector = drafted(folder, document({"/t": get(listed(THING), *parameters)}))
    assert connector["resources"]["t"]["window"] == expected


def test_a_parameter_that_must_be_given_is_marked(folder: Path) -> None:
    choice = query("kind", type="string", enum=["a", "b"], required=True)
    connector = drafted(
        folder, document({"/t": get(listed(THING), choice, query("zone", type="string", required=True))})
    )
    assert connector["resources"]["t"]["params"] == {"kind": "a", "zone": ""}
    text = (folder / "connectors/made.yaml").read_text()
    assert "# look: required: is this the value you want?" in text
    assert "# look: required: which value?" in text


def test_what_was_left_out_is_said(folder: Path) -> None:
    (folder / "api.json").write_text(
        json.dumps(
            document(
                {
                    "/t": get(listed(THING)),
                    "/t/{id}": get(THING),
                    "/a/{b}/c/{d}": get(listed(THING)),
                    "/file": get({"type": "string"}),
                }
            )
        )
    )
    made = new("made", "--openapi", "api.json")
    assert "left out, because it gives what a list gives already: GET /t/{id}" in made.out
    assert "left out, because it needs a value in its path that no list gives: GET /a/{b}/c/{d}" in made.out
    assert "GET /file" in made.out


def test_what_lies_below_a_record_is_asked_for_each(folder: Path) -> None:
    point = {
        "type": "object",
        "properties": {"timestamp": {"type": "string", "format": "date-time"}, "hr": {"type": "integer"}},
    }
    summary = {"type": "object", "properties": {"verdict": TEXT, "id": {"type": "integer"}}}
    step = {"type": "object", "properties": {"id": {"type": "integer"}, "name": TEXT}}
    connector = drafted(
        folder,
        document(
            {
                "/things/{thing}/points": get({"type": "array", "items": point}),
                "/things/{thing}/summary": get(summary),
                "/things/{thing}/steps": get(listed(step)),
                "/things/{thing}/moods": get({"type": "array", "items": {"properties": {"mood": TEXT}}}),
                "/things": get(listed(THING)),
            }
        ),
    )
    assert "moods" not in connector["resources"]  # no key, and what is gone could not be told
    points, summary_said, steps = (connector["resources"][name] for name in ("points", "things_summary", "steps"))
    assert points["for_each"] == {"resource": "things", "path": "id"}
    assert points["path"] == "/things/{{ each }}/points"
    assert points["key"] == ["thing_id", "timestamp"]
    assert points["columns"] == {
        "thing_id": {"type": "uuid", "path": "$each"},
        "timestamp": "timestamptz",
        "hr": "bigint",
    }
    assert summary_said["key"] == ["thing_id"]
    assert steps["key"] == ["id"]


LOOP = {"type": "object", "properties": {"id": {"type": "integer"}, "child": {"$ref": "#/components/schemas/Loop"}}}


def test_schemas_that_hold_themselves_end(folder: Path) -> None:
    schemas = {
        "Loop": LOOP,
        "Self": {"$ref": "#/components/schemas/Self"},
        "Both": {"allOf": [{"$ref": "#/components/schemas/Both"}, THING]},
    }
    content = document(
        {
            "/loops": get({"type": "array", "items": {"$ref": "#/components/schemas/Loop"}}),
            "/selves": get({"$ref": "#/components/schemas/Self"}),
            "/both": get({"type": "array", "items": {"$ref": "#/components/schemas/Both"}}),
        },
        components={"schemas": schemas},
    )
    connector = drafted(folder, content)
    assert connector["resources"]["loops"]["columns"] == {"id": "bigint", "child": "jsonb"}
    assert connector["resources"]["both"]["columns"] == {"id": "uuid", "n": "int"}
    assert "selves" not in connector["resources"]


def test_a_document_that_unfolds_without_end_is_bounded(folder: Path) -> None:
    schemas: dict[str, Any] = {}
    for number in range(30):
        following = {"$ref": f"#/components/schemas/S{(number + 1) % 30}"}
        schemas[f"S{number}"] = {"type": "object", "properties": {f"p{part}": following for part in range(18)}}
    schemas["S0"]["properties"] = {"id": {"type": "integer"}, **schemas["S0"]["properties"]}
    content = document(
        {"/t": get({"type": "array", "items": {"$ref": "#/components/schemas/S0"}})}, components={"schemas": schemas}
    )
    connector = drafted(folder, content)
    assert len(connector["resources"]["t"]["columns"]) <= 400


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"swagger": "2.0", "paths": {}}', "is Swagger 2.0; convert it to OpenAPI 3 first"),
        ('{"openapi": "3.0.0"}', "describes no paths"),
        ("[1, 2]", "is no OpenAPI 3 document"),
        ("a: [", "api.any:2:1: not YAML"),
        ('{"openapi": ', "api.any:1:13: not JSON"),
        ("[" * 5000, "not YAML"),
        ("openapi: 3.0.0\npaths: {}\nx: " + "[" * 300 + "]" * 300, "nested too deeply"),
        (json.dumps(document({"/t": {"post": {}}})), "describes no GET whose answer holds records"),
        (json.dumps(document({"/t": get({"$ref": "other.json#/Thing"})})), "leads out of the document"),
        (json.dumps(document({"/t": get({"$ref": "https://example.com/x"})})), "nothing is fetched"),
        (json.dumps({**document({"/t": get(listed(THING))}), "servers": [{"url": "/v1"}]}), "say it with --base-url"),
    ],
)
def test_what_is_no_document(folder: Path, content: str, complaint: str) -> None:
    (folder / "api.any").write_text(content)
    refused = call("new", "made", "--openapi", "api.any")
    assert refused.code == 2, refused.said
    assert complaint in refused.err
    assert not (folder / "connectors").exists()


def test_aliases_that_multiply_are_bounded(folder: Path) -> None:
    lines = ["openapi: 3.0.0", "paths: {}", "a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (folder / "api.yaml").write_text("\n".join(lines))
    refused = call("new", "made", "--openapi", "api.yaml")
    assert refused.code == 2
    assert "more than" in refused.err

"""What `hde new` asks, takes, writes, refuses and says."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from author_made import call, new, said

from hde.cli.new import _pasted

ANSWER = {"data": [{"id": 1, "taken_at": "2026-01-01T00:00:00Z", "bpm": 61}], "next_token": "x"}
URL = "https://api.example.com/v1/readings?limit=50"


@pytest.fixture
def sample(folder: Path) -> str:
    (folder / "answer.json").write_text(json.dumps(ANSWER), encoding="utf-8")
    return "answer.json"


def test_a_draft_says_what_it_wrote_guessed_and_needs(folder: Path, sample: str) -> None:
    made = new("meter", "--path", URL, "--sample", sample, "--auth", "key-header")
    assert made.out.splitlines() == [
        "wrote connectors/meter.yaml",
        "wrote mappings/meter/readings.yaml",
        "wrote mappings/meter/tests/readings.yaml",
        "wrote mappings/meter/tests/readings_read.yaml",
        "wrote mappings/meter/fixtures/readings/ (1 fixture)",
        "wrote mappings/meter/fixtures/exchanges/ (1 answer)",
        "connectors/meter.yaml:9: look: headers: is the key sent under this name?",
        "connectors/meter.yaml:16: look: next_token: is the parameter called so?",
        "connectors/meter.yaml:19: guessed: pagination: from the name of `next`",
        "mappings/meter/tests/readings.yaml:2: look: mapping: this is what the mapping makes of the fixtures today; "
        "is it what the source's documentation says?",
        "note: fixtures hold the sample's records as they are: take out what is personal before you share them",
        "",
        "hde validate meter: all good",
        "",
        "Put into .env, and fill in:",
        "  METER_KEY=",
        "",
        "Next:",
        "  hde validate meter           after every edit",
        "  hde test meter               what becomes of the fixtures",
        "  hde run meter                fetch, store, map",
    ]
    assert (folder / "connectors/meter.yaml").read_text().splitlines() == [
        "# yaml-language-server: $schema=../.hde/schemas/connector.schema.json",
        "name: meter",
        "",
        "settings:",
        "  key: {secret: true}",
        "",
        "http:",
        "  base_url: https://api.example.com",
        '  headers: {Authorization: "Bearer {{ settings.key }}"}   # look: is the key sent under this name?',
        "",
        "resources:",
        "  readings:",
        "    path: /v1/readings",
        "    params:",
        "      limit: 50",
        '      next_token: "{{ page.cursor }}"   # look: is the parameter called so?',
        "    records: data",
        "    key: [id]",
        "    pagination: {kind: cursor, next: next_token}   # guessed: from the name of `next`",
        "    columns: {id: bigint, taken_at: timestamptz, bpm: float}",
    ]


def test_what_is_in_the_environment_is_not_asked_for(
    folder: Path, sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METER_KEY", "k")
    assert "METER_KEY" not in new("meter", "--path", URL, "--sample", sample, "--auth", "key-query").out


def test_editors_find_the_schemas(folder: Path, sample: str) -> None:
    new("meter", "--path", URL, "--sample", sample)
    for file in (folder / "connectors/meter.yaml", *(folder / "mappings").rglob("*.yaml")):
        target = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert json.loads((file.parent / target).read_text())["$id"] == target.rpartition("/")[2]


def test_in_a_checkout_they_are_the_engines_own(folder: Path, sample: str) -> None:
    (folder / "engine/hde/spec/schemas").mkdir(parents=True)
    new("meter", "--path", URL, "--sample", sample)
    first = (folder / "connectors/meter.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../engine/hde/spec/schemas/connector.schema.json"
    assert not (folder / ".hde").exists()


def test_copies_of_the_schemas_are_renewed(folder: Path, sample: str) -> None:
    new("meter", "--path", URL, "--sample", sample)
    assert "nothing to do" in call("new", "--schemas").out
    (folder / ".hde/schemas/mapping.schema.json").write_text("{}")
    assert "brought up to date" in call("new", "--schemas").out
    assert json.loads((folder / ".hde/schemas/mapping.schema.json").read_text())["title"] == "Mapping"


def test_nothing_is_overwritten_unasked(folder: Path, sample: str) -> None:
    new("meter", "--path", URL, "--sample", sample)
    (folder / "connectors/meter.yaml").write_text("mine")
    again = call("new", "meter", "--yes", "--openapi", sample)
    assert again.code == 2
    assert "connectors/meter.yaml is there already; --path and --sample add a resource to it" in again.err
    (folder / "connectors/meter.yaml").unlink()
    (folder / "mappings/meter/readings.yaml").write_text("mine")
    again = call("new", "meter", "--yes", "--path", URL, "--sample", sample)
    assert (again.code, (folder / "connectors/meter.yaml").exists()) == (2, False)
    new("meter", "--path", URL, "--sample", sample, "--force")
    assert (folder / "mappings/meter/readings.yaml").read_text() != "mine"


MINE = """name: meter
http: {base_url: "{{ settings.url }}"}
settings: {url: {default: "https://api.example.com/v1"}}

resources:   # mine
  # as I want it
  readings: {path: /readings, key: [id], columns: {id: bigint}}

# of all requests
shared:
  of: {records: data}
"""


@pytest.mark.parametrize("before", [MINE, MINE.partition("\n# of all")[0]], ids=["in the middle", "at the end"])
def test_a_resource_is_added_to_what_is_there(folder: Path, sample: str, before: str) -> None:
    (folder / "connectors").mkdir()
    (folder / "connectors/meter.yaml").write_text(before)
    made = new("meter", "--path", "/pulses?limit=50", "--sample", sample)
    text = (folder / "connectors/meter.yaml").read_text()
    kept, _, added = text.partition("\n  pulses:\n")
    assert before.startswith(kept)
    assert added.endswith(before[len(kept) :])
    assert list(said("connectors/meter.yaml")["resources"]) == ["readings", "pulses"]
    assert said("connectors/meter.yaml")["resources"]["pulses"]["path"] == "/pulses"
    assert (folder / "mappings/meter/pulses.yaml").exists()
    assert "wrote connectors/meter.yaml" in made.out
    elsewhere = call("new", "meter", "--yes", "--path", "https://b.example/pulses", "--sample", sample)
    assert (elsewhere.code, "--path is no address below {{ settings.url }}" in elsewhere.err) == (2, True)
    again = call("new", "meter", "--yes", "--path", "/pulses", "--sample", sample)
    assert again.code == 2
    assert "has a resource pulses already: `--resource NAME` calls the new one differently" in again.err


def test_a_resource_that_has_no_place_is_printed(folder: Path, sample: str) -> None:
    flow = (
        'name: meter\nhttp: {base_url: "https://a.example"}\nresources: {r: {path: /r, key: [], columns: {id: text}}}\n'
    )
    (folder / "connectors").mkdir()
    (folder / "connectors/meter.yaml").write_text(flow)
    made = call("new", "meter", "--yes", "--path", "https://a.example/pulses", "--sample", sample)
    assert (folder / "connectors/meter.yaml").read_text() == flow
    assert "Put this below `resources` in connectors/meter.yaml:\n\n  pulses:\n    path: /pulses\n" in made.out


def test_a_secret_in_the_address_is_not_kept(folder: Path, sample: str) -> None:
    made = new("meter", "--path", f"{URL}&api_key=hunter2", "--sample", sample)
    assert "the value of api_key in the address was not kept" in made.out
    assert said("connectors/meter.yaml")["http"]["params"] == {"api_key": "{{ settings.key }}"}
    assert not [file for file in folder.rglob("*") if file.is_file() and "hunter2" in file.read_text()]


def test_sign_in_with_a_code(folder: Path, sample: str) -> None:
    new(
        "meter",
        "--path",
        URL,
        "--sample",
        sample,
        "--auth",
        "oauth2_code",
        "--scope",
        "read",
        "--token-url",
        "https://a.example/t",
    )
    connector = said("connectors/meter.yaml")
    assert connector["auth"]["authorize"]["scopes"] == ["read"]
    assert connector["auth"]["token"] == {"url": "https://a.example/t"}
    assert connector["auth"]["authorize"]["url"] == "https://api.example.com/oauth/authorize"
    assert "# guessed: the usual address" in (folder / "connectors/meter.yaml").read_text()


def test_a_login_is_drafted_to_be_looked_at(folder: Path, sample: str) -> None:
    made = new("meter", "--path", URL, "--sample", sample, "--auth", "session")
    assert said("connectors/meter.yaml")["auth"]["send"] == {"header": "Authorization", "prefix": "Bearer "}
    assert "look: login: the request by which a person logs in" in made.out


def test_where_the_records_are_can_be_said(folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"groups": [{"rows": [{"id": 1}]}, {"rows": [{"id": 2}]}]}))
    new("meter", "--path", "https://a.example/x", "--sample", "a.json", "--records", "groups[].rows[]")
    (resource,) = said("connectors/meter.yaml")["resources"].values()
    assert (resource["records"], resource["key"]) == ("groups[].rows[]", ["id"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "--base-url is missing; without a terminal nothing can be asked"),
        (("--base-url", "https://a.example"), "--sample is missing"),
        (("--base-url", "a.example", "--sample", "answer.json"), "The address must be one a browser would open"),
        (("--path", "https://a:b@a.example/", "--sample", "answer.json"), "There is a password in the address"),
        (("--path", "https://a.example/{{ x }}", "--sample", "answer.json"), "The address must be one"),
        (("--path", URL, "--sample", "nothing.json"), "The sample nothing.json cannot be read: No such file"),
        (("--path", URL, "--sample", "answer.json", "--resource", "My Things"), "'my_things' would be"),
        (("--path", URL, "--sample", "answer.json", "--records", "data["), "is not JMESPath"),
        (("--path", URL, "--sample", "answer.json", "--records", "nowhere"), "leads to no list and no object"),
        (("--openapi", "answer.json", "--path", URL), "--path does not go with --openapi"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(sample: str, options: tuple[str, ...], complaint: str) -> None:
    refused = call("new", "meter", "--yes", *options)
    assert refused.code == 2
    assert complaint in refused.err


@pytest.mark.parametrize("name", ["Meter", "meta", "1st", "../x", "pg_x"])
def test_a_name_must_be_one(sample: str, name: str) -> None:
    assert call("new", name, "--yes", "--path", URL, "--sample", sample).code == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "The sample is not JSON: line 1, column 2"),
        ("[]", "The list in the answer is empty: take an answer that holds some records"),
        ('{"data": []}', "The list in data is empty"),
        ("{}", "The sample is an empty object"),
        ("3", "neither an object nor a list"),
        ("[1, 2]", "does not hold objects only"),
        ('[{"a": NaN}]', "NaN is not JSON"),
        ('[{"a": 1e999}]', "too large"),
        ("[" * 100_000, "nested more than"),
        ('[{"a":' + "[" * 60 + "]" * 60 + "}]", "nested more than"),
        ('[{"a": "' + "x" * 1_100_000 + '", "id": 1}]', "A record of the sample has more than"),
    ],
)  # fmt: skip
def test_a_sample_must_hold_records(folder: Path, text: str, complaint: str) -> None:
    (folder / "a.json").write_text(text)
    refused = call("new", "meter", "--yes", "--path", URL, "--sample", "a.json")
    assert refused.code == 2, refused.said
    assert complaint in refused.err


def test_a_sample_is_read_from_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps(ANSWER)))
    new("meter", "--path", URL, "--sample", "-")


def test_a_pasted_answer_ends_where_its_json_does() -> None:
    lines = iter(['{"data": [\n', '  {"id": 1}\n', "]\n", "}\n", "hde validate\n"])
    assert json.loads(_pasted(lambda: next(lines, ""))) == {"data": [{"id": 1}]}
    assert next(lines) == "hde validate\n"


def test_characters_no_database_holds_do_no_harm(folder: Path) -> None:
    (folder / "a.json").write_text('[{"id": "a\\u0000b", "t": "\\ud800"}]')
    new("meter", "--path", URL, "--sample", "a.json")

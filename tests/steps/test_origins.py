"""A connector that begins to send requests elsewhere is not run before a person has agreed to it."""

from __future__ import annotations

from pathlib import Path

from loopback_made import Reply, Source, write_made
from run_made import ask, call, do

from hde.check.reach import origins
from hde.spec.load import load_source
from hde.steps.settings import settings_of

LISTED = "alpha: {path: /alpha, records: records, key: [id], columns: {id: bigint}}"
SAID = """\
name: made
settings: {host: {default: api.example.com}, key: {secret: true, default: s3cret-word}}
http: {base_url: "https://{{ settings.host }}/v1", headers: {X-Key: "{{ settings.key }}"}}
auth:
  kind: oauth2_code
  client: {id: us, secret: "{{ settings.key }}"}
  authorize: {url: https://login.example.com/a, redirect_uri: "http://localhost:8765/callback"}
  token: {url: "https://login.example.com:8443/t/{{ settings.key }}"}
account: {path: /me, id: id}
resources: {things: {path: /things, records: records, key: [id], columns: {id: text}}}
"""


def test_origins_are_those_of_the_settings_in_use(tmp_path: Path) -> None:
    file = tmp_path / "connectors" / "made.yaml"
    file.parent.mkdir()
    file.write_text(SAID)
    source = load_source(file, tmp_path)
    settings = settings_of(source.connector) | {"host": "api.other.example"}
    assert sorted(origins(source.connector, source.connector_file, settings)) == [
        "https://api.other.example",
        "https://login.example.com",
        "https://login.example.com:8443",
    ]


def test_a_changed_origin_asks_again(source: Source, tmp_path: Path, database_url: str) -> None:
    source.answer = lambda seen: Reply({"records": [{"id": 1}]})
    file = write_made(tmp_path, LISTED)
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT origins FROM meta.connections") == [[]], "this machine is nobody else"
    asked = len(source.seen)

    file.write_text(file.read_text().replace('"{{ settings.url }}"', "https://elsewhere.example"))
    found = call("run", "made")
    assert found.code == 3
    assert "sends requests to https://elsewhere.example now, and did not when you signed in" in found.err
    assert found.err.endswith("If that is right, agree to it: hde auth made\n")
    assert len(source.seen) == asked


def test_fewer_origins_need_no_agreement(source: Source, tmp_path: Path, database_url: str) -> None:
    source.answer = lambda seen: Reply({"records": [{"id": 1}]})
    write_made(tmp_path, LISTED)
    assert call("run", "made").code == 0
    do(database_url, "UPDATE meta.connections SET origins = ARRAY['https://elsewhere.example']")
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT origins FROM meta.connections") == [[]]

"""A hospital's bulk export, read by a registered system with a key: whole, then what changed and what went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hospitals_made import RESOURCES, hospital, run, served, sign_in, stored
from run_made import ask

from hde.sandbox import fhir

NAMES = ("patients", "observations", "conditions", "encounters")
CONNECTOR = """
name: fhir-backend
settings: {base_url: {}, client_id: {}, private_key: {secret: true}, patient: {default: ""}}
http: {base_url: "{{ settings.base_url }}", headers: {Accept: application/fhir+json}}
auth:
  kind: oauth2_client
  discovery: "{{ settings.base_url }}/.well-known/smart-configuration"
  client: {id: "{{ settings.client_id }}", key: "{{ settings.private_key }}"}
  scopes: [system/*.read]
exports:
  everything:
    path: /Group/all/$export
    params: {_type: "TYPES", _since: "{{ bookmark }}"}
    headers: {Prefer: respond-async}
    keep: {url: {header: Content-Location}}
    status: {path: "{{ export.url }}"}
    progress: {header: X-Progress}
    poll: {every: 1s, most: 5s, max_wait: 1m}
    bookmark: transactionTime
    signed_in: requiresAccessToken
    warnings: {files: "error[].url", text: "issue[].diagnostics"}
    discard: {method: DELETE, path: "{{ export.url }}"}
shared:
  bulk: {format: ndjson, key: [id], columns: {id: text}, volatile: [meta]}
resources:
"""
RESOURCE = """
  {name}:
    like: bulk
    export:
      of: everything
      files: "output[?type == '{kind}']"
      deleted: {{files: "deleted[].url", records: "entry[].request.url", key: "{kind}/{{id}}"}}
"""


@pytest.fixture
def signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[fhir.Sandbox]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connectors").mkdir()
    parts = [RESOURCE.format(name=name, kind=RESOURCES[name]) for name in NAMES]
    types = ",".join([*(RESOURCES[name] for name in NAMES), "Basic"])
    (tmp_path / "connectors" / "fhir-backend.yaml").write_text(CONNECTOR.replace("TYPES", types) + "".join(parts))
    with hospital(monkeypatch, "fhir-backend", manners="oracle", export_wait=0) as sandbox:
        sign_in("fhir-backend")
        yield sandbox


def all_stored(url: str) -> dict[str, object]:
    return {name: stored(url, name, "fhir-backend") for name in NAMES}


def all_served(sandbox: fhir.Sandbox) -> dict[str, object]:
    return {name: served(sandbox, name) for name in NAMES}


def test_everything_then_what_changed_and_what_went(signed_in: fhir.Sandbox, database_url: str) -> None:
    first = run("fhir-backend")
    assert first.code == 0, first.said
    assert all_stored(database_url) == all_served(signed_in)
    assert [note.partition(": ")[2] for note in first.json["notes"]] == [
        "the source says: Basic cannot be exported"
    ] * len(first.json["notes"])
    assert signed_in.exports == [], "let go, or there could not be another one"
    signed_in.advance(days=30)
    gone = next(iter(served(signed_in, "conditions")))
    signed_in.delete("Condition", gone)
    before = all_stored(database_url)
    second = run("fhir-backend")
    assert second.code == 0, second.said
    assert all_stored(database_url) == all_served(signed_in)
    assert second.of("conditions")["vanished"] == 1
    assert second.of("observations")["unchanged"] == 0, "what did not change was not sent"
    assert second.of("observations")["new"] == len(served(signed_in, "observations")) - len(before["observations"])
    assert ask(database_url, "SELECT _op FROM fhir_backend_raw.conditions_history WHERE id = %s", gone) == ["D"]


def test_a_token_that_has_ended_is_asked_for_anew(signed_in: fhir.Sandbox, database_url: str) -> None:
    signed_in.advance(seconds=301)
    assert run("fhir-backend").code == 0
    assert all_stored(database_url) == all_served(signed_in)

"""`hde test` of whole resources, signed in each way: the credential stands where the connector says, and is renewed."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from kinds_made import KINDS, write_kind
from run_made import call

TEST = """\
resource: linked
tests:
  - title: the credential is sent, and renewed where that can be
    settings: {{url: "https://api.example.com"}}
    account: {{id: ada}}
    exchanges:
      - request: {{path: /linked, {first}}}
        answer: {{status: 401}}
      {then}
"""
ANSWERED = "- {{request: {{path: /linked, {second}}}, answer: {{json: {{beats: [{{id: 1, bpm: 5}}]}}}}}}\n    {expect}"


def carried(sent: str, text: str) -> str:
    where, _, name = sent.partition(" ")
    if where == "cookie":
        return f'headers: {{Cookie: "{name}={text}"}}'
    return f'{where}s: {{{name}: "{text}"}}'


@pytest.mark.parametrize("name", KINDS)
def test_a_made_up_credential_is_sent(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kind = KINDS[name]
    write_kind(tmp_path, kind)
    secret = base64.b64encode(b"us:made-up-secret").decode() if kind.prefix == "Basic " else "made-up-secret"
    first = carried(kind.sent, kind.prefix + ("made-up-token-1" if kind.is_given else secret))
    if kind.is_given:
        second = carried(kind.sent, f"{kind.prefix}made-up-token-2")
        then = ANSWERED.format(second=second, expect="expect: {raw: [{id: 1, bpm: 5}], requests: 2}")
    else:
        then = "\n    error: does not accept the credentials"
    file = tmp_path / "mappings" / "made" / "tests" / "beats.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TEST.format(first=first, then=then))
    found = call("test", "made")
    assert found.out == "1 passed, 0 failed\n", found.said

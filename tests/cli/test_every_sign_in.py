"""An author's tools with each way to sign in: they work, and no credential is shown or written anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from kinds_made import KINDS, PASSWORD, PRIVATE, Provider, write_kind
from loopback_made import Source
from run_made import Outcome, ask, call


@pytest.fixture(params=KINDS)
def provider(
    request: pytest.FixtureRequest,
    source: Source,
    tmp_path: Path,
    database_url: str,
    agreeing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Provider:
    """The current folder holds a connector of this kind; nobody is signed in yet."""
    kind = KINDS[request.param]
    write_kind(tmp_path, kind)
    monkeypatch.setenv("MADE_SECRET", PASSWORD)
    monkeypatch.setenv("MADE_KEY", PRIVATE.as_pem(private=True).decode())
    return Provider(source, kind)


def went(provider: Provider, *arguments: str, code: int = 0) -> Outcome:
    found = call(*arguments)
    assert found.code == code, found.said
    hidden = [secret for secret in provider.secrets if secret in found.said]
    assert not hidden, found.said
    return found


def test_authors_tools_work_with_it_and_tell_no_secret(provider: Provider, tmp_path: Path, database_url: str) -> None:
    if provider.kind.is_given:
        went(provider, "preview", "made", "beats", code=3)
    went(provider, "auth", "made")
    for resource in ("beats", "linked"):
        lines = " ".join(went(provider, "preview", "made", resource).out.split())
        assert "4001" in lines
        assert "***" in lines
        went(provider, "record", "made", resource, "--pages", "1")
    written = {file: file.read_text() for file in Path("mappings").rglob("*") if file.is_file()}
    assert "made-up-token" not in "".join(written.values())
    assert not [file for file, text in written.items() if any(secret in text for secret in provider.secrets)]
    assert went(provider, "test", "made").out == "2 passed, 0 failed\n"
    went(provider, "validate")
    went(provider, "test", "made", "--contract")
    went(provider, "run", "made")
    assert len(ask(database_url, "SELECT id FROM made_raw.beats")) == 4
    assert len(ask(database_url, "SELECT value FROM canonical.biometrics_vitals")) == 4
    went(provider, "why", "made_raw.beats", "4001")
    went(provider, "why", "biometrics_vitals", "4001")
    went(provider, "plan", "made")
    went(provider, "status")

"""What a run does not need it does not load: half of the time of a run that finds nothing new would be that."""

from __future__ import annotations

from pathlib import Path

from loopback_made import Source, write_connector
from run_made import ended, start

from hde.sandbox import whoop

FOR_AUTHORS = {
    "hde.author", "hde.contract", "hde.check.fixtures", "hde.check.source", "hde.spec.complaints", "hde.spec.partly",
    "hde.steps.explain", "hde.steps.recording", "hde.steps.trying", "jsonschema",
}  # fmt: skip
FOR_SETTING_UP = {"alembic", "hde.store.embedded", "hde.store.models", "sqlalchemy", "hde.sandbox", "keyring"}
FOR_UNUSUAL_UNITS = {"pint", "ucumvert"}
FOR_A_PERSON = {"hde.source.listener", "hde.source.signin", "joserfc"}
FOR_TOKENS = {"cryptography", "filelock", "hde.source.oauth", "hde.tokens.file", "hde.tokens.seal"}
NEVER = FOR_AUTHORS | FOR_SETTING_UP | FOR_UNUSUAL_UNITS | FOR_A_PERSON


def loaded_by(*arguments: str) -> set[str]:
    """The modules, and the packages they are of, that a command which ends well has loaded."""
    outcome = ended(start(*arguments, PYTHONPROFILEIMPORTTIME="1"))
    assert outcome.code == 0, outcome.said
    names = {line.rpartition("|")[2].strip() for line in outcome.err.splitlines() if line.startswith("import time:")}
    return {".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2)}


def test_a_first_run_and_one_with_nothing_new_load_only_what_they_need(
    sandbox: whoop.Sandbox, database_url: str
) -> None:
    for _ in range(2):
        loaded = loaded_by("run", "whoop")
        assert {"hde.run", "hde.source.oauth", "hde.mapping.compiled"} <= loaded
        assert loaded & NEVER == set()


def test_without_a_sign_in_nothing_is_loaded_that_keeps_tokens(
    source: Source, database_url: str, tmp_path: Path
) -> None:
    source.fill("nights")
    connector = write_connector(tmp_path, "nights")
    assert loaded_by("run", str(connector)) & (NEVER | FOR_TOKENS) == set()

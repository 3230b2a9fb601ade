"""Every block of docs/sign-in.md is a sign-in that validates; every kind and key of a sign-in is shown there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hde.check.source import check_paths
from hde.spec.freeze_sign_in import KINDS
from hde.spec.schema import schema

PAGE = Path(__file__).parents[1] / "docs" / "sign-in.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SETTINGS = ["base_url", "client_id", "redirect_uri", "username", "key_id", "scopes"]
SECRETS = ["client_secret", "password", "private_key", "key"]
REST: dict[str, Any] = {
    "name": "demo",
    "settings": {**{name: {} for name in SETTINGS}, **{name: {"secret": True} for name in SECRETS}},
    "http": {"base_url": "https://api.example.com"},
    "resources": {"things": {"path": "/things", "key": ["id"], "columns": {"id": "text"}}},
}


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_can_be_copied(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = yaml.safe_load(block)
    used = set(re.findall(r"settings\.(\w+)", block))
    rest = {**REST, "settings": {name: value for name, value in REST["settings"].items() if name in used}}
    whole = "\n".join([block, *(yaml.safe_dump({key: rest[key]}) for key in rest if key not in said)])
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "demo.yaml").write_text(whole, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    problems = [problem.message for problem in check_paths([])]
    expected = ["no mapping reads things: its records stay raw"]
    if "a warning" in block:
        expected.append(
            "settings.key is a secret, and URLs end up in logs: if the source takes it in a header, put it there"
        )
    assert sorted(problems) == sorted(expected)


def test_every_kind_and_every_key_is_shown() -> None:
    shown = {key for block in BLOCKS for key in keys(yaml.safe_load(block).get("auth", {}))}
    for kind in KINDS:
        assert any(f"kind: {kind}" in block for block in BLOCKS)
    parts = (*KINDS, "client", "authorize", "token_request", "errand", "revoke", "login")
    wanted = {key for part in parts for key in schema("connector")["$defs"][part]["properties"]}
    assert wanted - shown == {"headers"}


def keys(node: object) -> set[str]:
    match node:
        case dict():
            return {str(key) for key in node} | {key for item in node.values() for key in keys(item)}
        case list():
            return {key for item in node for key in keys(item)}
    return set()

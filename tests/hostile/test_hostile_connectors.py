"""Connectors that somebody wrote to harm whoever runs them: `hde validate` says where and what, in a line, and none of
it is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hde.check.source import check_paths

SOUND = """\
name: made
settings: {key: {secret: true}, url: {default: https://api.example.com}}
http: {base_url: "{{ settings.url }}", headers: {X-Key: "{{ settings.key }}"}}
account: {path: /me, id: id}
resources:
  notes:
    path: /notes
    params: {limit: 10}
    records: records
    key: [id]
    columns: {id: text, at: timestamptz}
"""
CASES = yaml.safe_load((Path(__file__).parent / "connectors.yaml").read_text(encoding="utf-8"))
LONGEST = 400
"""Characters of a complaint, however long the text that it is about."""


def many(text: str) -> str:
    return re.sub(r"MANY\((.+?), (\d+)\)", lambda found: found[1] * int(found[2]), text)


def complaints(folder: Path, connector: str) -> Iterator[str]:
    """But for those of any connector that has no mapping and no fixture yet."""
    (folder / "connectors").mkdir(exist_ok=True)
    (folder / "connectors" / "made.yaml").write_text(connector, encoding="utf-8")
    for problem in check_paths([Path("connectors/made.yaml")]):
        if not problem.message.startswith(("no mapping reads ", "no fixture in ")):
            yield str(problem).removeprefix("connectors/made.yaml:")


def test_the_sound_one_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(complaints(tmp_path, SOUND)) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_a_hostile_connector_is_refused(case: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old, new, said = (many(case[key]) for key in ("old", "new", "said"))
    assert SOUND.count(old) >= 1
    found = list(complaints(tmp_path, SOUND.replace(old, new, 1)))
    assert said in found
    assert max(map(len, found)) < LONGEST
    assert not any(character in line for line in found for character in "\r\n")
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["made.yaml"]

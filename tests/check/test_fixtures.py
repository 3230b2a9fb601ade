"""Reading recorded records: bounded, inside their folder only, and clear about what is no record."""

from __future__ import annotations

from pathlib import Path

import pytest

from hde.check.fixtures import LARGEST, FixtureError, fixtures


def test_records_by_the_name_of_their_file(pulse: Path) -> None:
    found = fixtures(pulse / "mappings/pulse", "nights")
    assert list(found) == ["night", "pending"]
    assert found["pending"] == {
        "id": "0d0e6c1a-0000-4000-8000-000000000002", "begin": "2026-01-02T22:00:00Z",
        "end": None, "offset": "+01:00", "status": "open", "score": None,
    }  # fmt: skip


def test_a_resource_without_fixtures_has_none(pulse: Path) -> None:
    assert fixtures(pulse / "mappings/pulse", "steps") == {}
    assert fixtures(pulse / "mappings/other", "steps") == {}


BAD = [
    (b'{"a": 1', "bad.json:1:8: not JSON: a , is missing before this"),
    (b'{"a":\n x}', "bad.json:2:2: not JSON: a value or a name in double quotes is missing here"),
    (b"[]", "bad.json:1:1: a fixture is one record: an object, not a list or a page of records"),
    (b'{"a": "\xff"}', "bad.json:1:1: not JSON: nested too deeply, or not UTF-8"),
    (b'{"a": ' + b"[" * 200_000, "bad.json:1:1: not JSON: nested too deeply, or not UTF-8"),
    (b'{"a": "' + b"a" * LARGEST + b'"}', f"bad.json:1:1: larger than {LARGEST} bytes: a fixture is one record"),
]


@pytest.mark.parametrize(("content", "said"), BAD, ids=[said[9:50] for _, said in BAD])
def test_what_is_no_record_is_refused(content: bytes, said: str, pulse: Path) -> None:
    (pulse / "mappings/pulse/fixtures/nights/bad.json").write_bytes(content)
    with pytest.raises(FixtureError) as caught:
        fixtures(pulse / "mappings/pulse", "nights")
    assert f"mappings/pulse/fixtures/nights/{said}" in str(caught.value)


def test_nothing_outside_the_folder_is_read(pulse: Path) -> None:
    outside = pulse / "secret.json"
    outside.write_text("{}")
    link = pulse / "mappings/pulse/fixtures/nights/link.json"
    link.symlink_to(outside)
    with pytest.raises(FixtureError, match="a link out of the fixtures folder is not followed"):
        fixtures(pulse / "mappings/pulse", "nights")
    with pytest.raises(FixtureError, match="fixtures stand in fixtures/RESOURCE"):
        fixtures(pulse / "mappings/pulse", "../../..")

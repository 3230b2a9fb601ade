"""A source on loopback, and a folder with a connector for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_made import Source


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """Running, with `made` pointed to it; the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    source = Source()
    monkeypatch.setenv("MADE_URL", source.url)
    yield source
    source.close()

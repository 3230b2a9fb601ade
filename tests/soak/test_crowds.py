"""Forty processes on one embedded server, every third of them killed, as often as HDE_SOAK says (a tenth of it)."""

from __future__ import annotations

import os

import pytest
import test_embedded_crowd
from embedded_made import folder_of_homes, posix

MANY = max(1, int(os.environ.get("HDE_SOAK", "100")) // 10)


@posix
@pytest.mark.parametrize("_", range(MANY))
def test_forty_at_once_of_whom_every_third_is_killed(_: int) -> None:
    with folder_of_homes() as folder:
        (folder / "h").mkdir()
        test_embedded_crowd.crowd_of(folder / "h", 40)

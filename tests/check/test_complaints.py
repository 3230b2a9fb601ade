"""Every way in which YAML can contradict itself or its fixtures, and the exact words said about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent


def _cases(name: str) -> list[object]:
    cases = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["title"]) for case in cases]


FILES = ("connector_complaints.yaml", "export_complaints.yaml", "sign_in_complaints.yaml", "mapping_complaints.yaml")


@pytest.mark.parametrize("case", [case for file in FILES for case in _cases(file)])
def test_what_is_said_about_one_mistake(
    case: dict[str, str], complaints: Callable[[str, str | None, str], list[str]]
) -> None:
    assert complaints(case["file"], case.get("old"), case["new"]) == case["complaints"]

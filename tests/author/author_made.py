"""Drafting with the real commands, and reading what was drafted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "steps"))  # `call` is made there

from run_made import Outcome, call

from hde.spec.yaml_file import parse_yaml


def new(name: str, *options: str) -> Outcome:
    """`hde new NAME`, which must succeed; then `hde validate` and, where there are tests, `hde test` must too."""
    made = call("new", name, "--yes", *options)
    assert made.code == 0, made.said
    validated = call("validate", name)
    assert validated.code == 0, validated.said
    if (Path("mappings") / name / "tests").is_dir():
        tested = call("test", name)
        assert tested.code == 0, tested.said
    return made


def said(file: str) -> Any:
    """What a YAML file says, by hde's own reader."""
    read, problems = parse_yaml(Path(file))
    assert problems == []
    assert read is not None
    return read.data

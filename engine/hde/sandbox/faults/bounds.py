"""What a fault's values may be, said where they are declared."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def number(default: float, least: float, most: float) -> Any:
    """A dataclass field for a number within bounds, both included."""
    return field(default=default, metadata={"least": least, "most": most})


def word(default: str, *words: str) -> Any:
    """A dataclass field for one of some words."""
    return field(default=default, metadata={"words": words})

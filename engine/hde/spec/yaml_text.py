"""Data as the YAML that an author would have written: keys in their order, small maps and lists on one line."""

from __future__ import annotations

import yaml


def yaml_text(data: object) -> str:
    """`data` holds dicts, lists, texts, numbers, booleans and None only."""
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=120, allow_unicode=True)

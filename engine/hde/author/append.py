"""One more resource in a connector that is there: text at the end of its `resources`, nothing else touched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hde.author.files import CONNECTOR, Draft
from hde.author.resource import ResourceDraft
from hde.author.yaml_text import yaml_text
from hde.errors import WrongUse
from hde.spec.find import shared_mappings
from hde.spec.whole import whole_connector

_SOMEWHERE = "https://api.example.com"
"""Stands for a base URL that settings decide."""
_TOP = re.compile(r"[^\s#]")


def connector_said(file: Path) -> dict[str, Any]:
    """What a connector says, with what it takes over; WrongUse where it cannot be read, with where."""
    if other := shared_mappings(file):
        raise WrongUse(f"{file} has the mappings of {other}: add it there, and both have it (`hde new {other} ...`)")
    read, problems = whole_connector(file)
    if read is None or problems or not isinstance(read.data, dict):
        raise WrongUse(f"{problems[0] if problems else file}: mend this first, then add to it")
    return read.data


def base_of(said: dict[str, Any], path: str) -> str:
    """What a path of this connector is below; WrongUse for a whole address that is not below its base URL."""
    http = said.get("http")
    base = str(http.get("base_url", "")) if isinstance(http, dict) else ""
    if "://" in path and ("{{" in base or not path.startswith(f"{base.rstrip('/')}/")):
        raise WrongUse(
            f"--path is no address below {base or 'the base URL'}: give it as it stands below (/things?limit=50)"
        )
    return _SOMEWHERE if "{{" in base or not base else base


def block_of(resource: ResourceDraft) -> str:
    """A resource as it stands below `resources:`."""
    part = resource.part.under("resources", resource.name)
    return yaml_text(part.said, part.notes, CONNECTOR).partition("\n")[2]


def with_resource(text: str, said: dict[str, Any], resource: ResourceDraft) -> str | None:
    """The text with the resource at the end of `resources`; None where they are not written one below the other."""
    lines = text.splitlines()
    begin = next((number for number, line in enumerate(lines) if re.match(r"resources:\s*(#.*)?\Z", line)), None)
    names = said.get("resources")
    if begin is None or not isinstance(names, dict):
        return None
    end = next((n for n in range(begin + 1, len(lines)) if _TOP.match(lines[n])), len(lines))
    while end > begin + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    if not all(any(re.match(rf"  {re.escape(name)}\s*:", line) for line in lines[begin:end]) for name in names):
        return None
    added = ["", *block_of(resource).splitlines()]
    return "\n".join([*lines[:end], *added, *lines[end:]]) + "\n"


def refuse_taken(draft: Draft, said: dict[str, Any]) -> None:
    """WrongUse where the connector has a resource of that name."""
    names = said.get("resources")
    for resource in draft.resources:
        if isinstance(names, dict) and resource.name in names:
            raise WrongUse(
                f"connectors/{draft.name}.yaml has a resource {resource.name} already: `--resource NAME` calls the new "
                "one differently, `--force` drafts the whole connector anew"
            )

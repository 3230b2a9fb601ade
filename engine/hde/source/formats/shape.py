"""What all formats share: what a record is, where records stand, and how large one may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hde.errors import Unreadable
from hde.issues import Issue
from hde.mapping.expression import is_plain
from hde.spec.connector import Format

Record = bytes | Issue
"""The JSON text of a record, or what kept it from becoming one."""

CHUNK = 256 * 1024
LARGEST_RECORD = 64 * 1024 * 1024
"""Bytes or characters of one record, line or row."""
MEGABYTES = LARGEST_RECORD // 1024 // 1024
DEEPEST = 200
"""As deep as a record may be nested."""
TOO_LARGE = Issue("", f"larger than {MEGABYTES} MB")

_OR_NOTHING = re.compile(r"(.*?)\s*\|\|\s*`\[\s*\]`\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Path:
    """A plain dotted path to records. `optional`: that nothing is there means that there are none."""

    names: tuple[str, ...] = ()
    optional: bool = False
    expression: str | None = None
    """Any other JMESPath, for formats that read it in values which they hold as a whole."""

    @property
    def text(self) -> str | None:
        return ".".join(self.names) or None


def plain_path(records: str | None) -> Path | None:
    """`records` as names to walk along: a plain path, or one with `` || `[]` `` behind it. None for other JMESPath."""
    if records is None:
        return Path()
    match = _OR_NOTHING.match(records)
    text = match[1] if match else records
    return Path(tuple(text.split(".")), match is not None) if is_plain(text) else None


def path_of(format: Format, records: str | None) -> Path | None:
    """Where a format reads `records` as it goes; None where the whole has to be there for it."""
    path = plain_path(records)
    return Path(expression=records) if path is None and format.kind == "json_seq" else path


def no_records(path: str | None, what: str, lists: Sequence[str] = ()) -> Unreadable:
    """Where records were expected stands something else, or nothing. `lists` are the paths where lists are."""
    if path is None:
        return Unreadable(f"the answer holds {what}, where a record or a list of records was expected")
    if lists == ["@"]:
        return Unreadable(f"records: {path!r} leads to {what}: the answer itself is a list; leave `records` out")
    there = f". There is a list at {' and at '.join(lists)}" if lists else ""
    return Unreadable(
        f"records: {path!r} leads to {what} in the answer; an absent list is not an empty one "
        f"(write {path} || `[]` where it is){there}"
    )

"""What a mapping says, frozen.

Field names are the keys of `schemas/mapping.schema.json`; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hde.spec.connector import Scalar

Unknown = Literal["issue", "null", "keep", "skip"]


@dataclass(frozen=True)
class Lookup:
    """Keys are compared as text. `name` is that of the shared lookup it came from, for messages."""

    entries: Map[str, Scalar]
    unknown: Unknown = "issue"
    name: str | None = None


@dataclass(frozen=True)
class LocalOffset:
    """How far local time is ahead of UTC: a path to `+02:00`, or to a number in `unit`."""

    path: str
    unit: str | None = None


@dataclass(frozen=True)
class Plus:
    path: str
    unit: str | None = None


@dataclass(frozen=True)
class Reading:
    """How one canonical column is read: exactly one of `path`, `first`, `sum` and `const`, then what to make of it."""

    path: str | None = None
    first: tuple[Reading, ...] = ()
    sum: tuple[str, ...] = ()
    const: Scalar = None
    has_const: bool = False
    unit: str | None = None
    lookup: Lookup | None = None
    optional: bool = False
    """In a row set: no value, no row."""
    time: str | None = None
    """epoch, epoch_ms, clock, or a strptime pattern; None: RFC 3339 with an offset."""
    offset: LocalOffset | None = None
    zone: str | None = None
    """A path to an IANA zone name, for local times."""
    after: str | None = None
    plus: Plus | None = None


@dataclass(frozen=True)
class RowSet:
    """The columns of one row; several row sets give several rows per record."""

    name: str
    """`part` of the row, and the metric in `biometrics_vitals`; empty where a record gives one row."""
    columns: Map[str, Reading]
    when: str | None = None


@dataclass(frozen=True)
class Target:
    """What one record becomes in one canonical table. `rows` is never empty; named '' where there is one row."""

    table: str
    rows: tuple[RowSet, ...]
    when: str | None = None


@dataclass(frozen=True)
class Reference:
    """`with: {sleep: {from: sleeps, key: sleep_id}}`; `key` is the raw column here that holds the other's key."""

    name: str
    from_: str
    key: str


@dataclass(frozen=True)
class Mapping:
    """One mapping file, named `SOURCE/RESOURCE`; columns given for all rows are already merged into each row set."""

    name: str
    file: Path
    from_: str
    to: Map[str, Target]
    with_: Map[str, Reference] = field(default_factory=dict)
    when: str | None = None
    ignore: Map[str, str] = field(default_factory=dict)
    """Path -> why nothing reads it."""
    text_hash: str = ""
    """Hash of the normalised YAML, lookups included: part of the mapping's version."""

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
    any_case: bool = False
    """A word is found however its letters are written, large or small."""

    def key(self, text: str) -> str:
        """What words are compared by."""
        return text.casefold() if self.any_case else text


@dataclass(frozen=True)
class LocalOffset:
    """How far local time is ahead of UTC: a path to `+02:00`, or to a number in `unit`."""

    path: str
    unit: str | None = None


@dataclass(frozen=True)
class Plus:
    path: str
    unit: str | None = None
    times: str | None = None
    """A path to a number: the span is added so many times (`$index`, for a series with an interval)."""


@dataclass(frozen=True)
class UnitRead:
    """A unit that the record says: exactly one of `path` and `first`, in UCUM or a common spelling, or looked up."""

    path: str | None = None
    first: tuple[str, ...] = ()
    lookup: Map[str, str] | None = None
    """The source's words and units, where it writes none; keys are compared as text."""


@dataclass(frozen=True)
class Reading:
    """How one canonical column is read: exactly one of `path`, `first`, `sum` and `const`, then what to make of it."""

    path: str | None = None
    first: tuple[Reading, ...] = ()
    sum: tuple[str, ...] = ()
    const: Scalar = None
    has_const: bool = False
    unit: str | UnitRead | None = None
    exponent: str | None = None
    """A path to a power of ten that the number is to be multiplied by."""
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
    prefer: tuple[str, ...] | None = None
    """Of several codes which one counts: `system`, `system|code` or `*`, the first wish that is met."""
    system: str | None = None
    """The code system of codes that name none."""
    when: str | None = None
    """A path; where it gives nothing true, the column is null."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path it reads, those of its alternatives included."""
        said = [self.path, *self.sum, self.exponent, self.zone, self.after, self.when]
        said += [self.offset.path] if self.offset else []
        said += [self.plus.path, self.plus.times] if self.plus else []
        said += [self.unit.path, *self.unit.first] if isinstance(self.unit, UnitRead) else []
        said += [path for one in self.first for path in one.paths]
        return tuple(path for path in said if path is not None)


@dataclass(frozen=True)
class Each:
    """What a record is taken apart into: one of a list, a tree, the entries of an object, parallel lists, a text.

    `around` is the `each` whose items this one takes apart further.
    """

    path: str | None = None
    nested: tuple[str, ...] = ()
    """Lists of items, and below every item the same lists again, as deep as they go."""
    entries: str | None = None
    """Items are `{key, value}`."""
    zip: Map[str, str] = field(default_factory=dict)
    """Name in the item -> path of the list."""
    characters: str | None = None
    around: Each | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path it reads, those of the `each` around it not included."""
        own = (one for one in (self.path, self.entries, self.characters) if one is not None)
        return (*own, *self.nested, *self.zip.values())

    @property
    def chain(self) -> tuple[Each, ...]:
        """Itself and all around it, from the outside in."""
        return (self,) if self.around is None else (*self.around.chain, self)


@dataclass(frozen=True)
class RowSet:
    """The columns of one row; several row sets give several rows per record.

    With `each` there is one row per item: paths of `columns`, `when` and `key` start at the item.
    """

    name: str
    """`part` of the row, and the metric in `biometrics_vitals`; empty where a record gives one row."""
    columns: Map[str, Reading]
    when: str | None = None
    each: Each | None = None
    key: str | None = None
    """A path to what tells an item from the others, for `part`; None: its index, or its key among entries."""


@dataclass(frozen=True)
class Target:
    """What one record becomes in one canonical table. `rows` is never empty; named '' where there is one row."""

    table: str
    rows: tuple[RowSet, ...]
    when: str | None = None
    each: Each | None = None
    """With it, `when`, `key` and all paths of `rows` start at the item."""
    key: str | None = None


@dataclass(frozen=True)
class Reference:
    """`with: {sleep: {from: sleeps, key: sleep_id}}`; `key` is the raw column here that holds the other's key."""

    name: str
    from_: str
    key: str
    optional: bool = False
    """The record is mapped without it, and again when it arrives."""


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

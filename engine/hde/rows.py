"""The rows that pass from the source to the store: what a raw table is, and one record made ready for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from hde.issues import Issue

RawType = Literal["text", "int", "bigint", "float", "numeric", "boolean", "date", "timestamptz", "uuid", "jsonb"]


@dataclass(frozen=True)
class RawTable:
    """A raw table as the connector declares it: columns in order, and the ones that identify a record."""

    schema: str
    name: str
    columns: tuple[tuple[str, RawType], ...]
    key: tuple[str, ...]
    """Empty: one row per account."""
    paths: tuple[str, ...] = ()
    """Where in the record each column is read, as long as `columns`; empty where nobody needs to know."""
    observe: bool = False
    volatile: tuple[tuple[str, ...], ...] = ()
    """Paths in the payload whose change means nothing."""


class RawRow(NamedTuple):
    """One record. Values are text as PostgreSQL prints them (UTC, ISO), None where the column stays null."""

    key: tuple[str, ...]
    values: tuple[str | None, ...]
    payload: bytes
    """The record's JSON text, as received unless jsonb cannot hold it."""
    hash: bytes
    """16 bytes of SHA-256 over the text as received."""
    received: bytes | None = None
    """The text as received where `payload` had to differ from it."""
    issues: tuple[Issue, ...] = ()

    def read(self) -> RawRow:
        """Itself: it is read already."""
        return self

    def trusted(self) -> RawRow:
        return self


class Reader(Protocol):
    """Reads what an `UnreadRow` is not read of yet."""

    def read(self, text: bytes) -> RawRow | list[Issue]:
        """The whole row; issues alone where it cannot be stored."""

    def values(self, text: bytes) -> tuple[str | None, ...] | None:
        """Its values, trusting that Postgres takes the rest as it is; None where nobody should."""


class UnreadRow(NamedTuple):
    """A record of which only the key is read yet: where the same text is stored already, nobody reads on."""

    key: tuple[str, ...]
    hash: bytes
    """As that of the `RawRow` it becomes."""
    text: bytes
    """As received."""
    reader: Reader

    def read(self) -> RawRow | list[Issue]:
        """The whole row, with the same key; issues alone where it turns out that it cannot be stored."""
        return self.reader.read(self.text)

    def trusted(self) -> RawRow | list[Issue]:
        """As `read`, at a third of the price, if Postgres takes the payload: it refuses what jsonb cannot hold."""
        values = self.reader.values(self.text)
        return self.read() if values is None else RawRow(self.key, values, self.text, self.hash)


Row = RawRow | UnreadRow


def key_text(key: tuple[str, ...]) -> str:
    """A raw key as one text, used as `raw_source_id` and in issues: compound keys as a JSON array."""
    if not key:
        return ""
    if len(key) == 1:
        return key[0]
    return "[" + ",".join(_quoted(part) for part in key) + "]"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

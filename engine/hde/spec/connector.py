"""What a connector says, frozen.

Field names are the keys of `schemas/connector.schema.json`; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from hde.spec.elements import ForEach
from hde.spec.export import Export, Part
from hde.spec.report import ReportTemplate
from hde.spec.request import Errand
from hde.spec.request import ErrorAction as ErrorAction
from hde.spec.request import ErrorRule as ErrorRule
from hde.spec.request import Request as Request
from hde.spec.request import Where as Where
from hde.spec.sign_in import Auth, Basic, Tenants
from hde.spec.template import Template, Tree

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Setting:
    name: str
    about: str = ""
    default: str | None = None
    secret: bool = False

    def variable(self, connector: str) -> str:
        """The environment variable it is read from: `WHOOP_CLIENT_ID`."""
        return f"{connector}_{self.name}".upper().replace("-", "_")


@dataclass(frozen=True)
class RateLimit:
    requests: Template
    """A template that gives a whole number."""
    per: timedelta
    aligned: bool = False
    """Counted by the clock: each full minute, hour or day in UTC begins anew."""
    of: Literal["app", "account"] = "app"


@dataclass(frozen=True)
class Wait:
    """Which header of a 429 says how long to wait. Retry-After is always understood."""

    header: str
    is_: Literal["seconds", "epoch", "timestamp"] = "seconds"


@dataclass(frozen=True)
class Files:
    """A source that is a folder of files, which somebody puts there."""

    folder: Template


@dataclass(frozen=True)
class Http:
    base_url: Template
    params: Mapping[str, Tree] = field(default_factory=dict)
    headers: Mapping[str, Tree] = field(default_factory=dict)
    rate_limits: tuple[RateLimit, ...] = ()
    wait: tuple[Wait, ...] = ()
    errors: tuple[ErrorRule, ...] = ()
    parallel: int = 8
    """Windows fetched side by side."""


@dataclass(frozen=True)
class AccountRequest:
    """Whose data this is. Without a request, `id` is read from the token answer."""

    id: str | None = None
    """A JMESPath."""
    request: Request | None = None
    keep: Mapping[str, str] = field(default_factory=dict)
    """Further fields kept under `account.NAME`: name -> JMESPath."""
    value: Template | None = None
    """Where `id` is not said, or finds nothing."""


@dataclass(frozen=True)
class Cursor:
    next: Where
    max_pages: int | None = None
    kind: Literal["cursor"] = "cursor"


@dataclass(frozen=True)
class PageNumber:
    first: int = 1
    size: int | None = None
    more: Where | None = None
    total: Where | None = None
    stop: Literal["empty", "short"] = "empty"
    max_pages: int | None = None
    kind: Literal["page"] = "page"


@dataclass(frozen=True)
class Offset:
    size: int | None = None
    more: Where | None = None
    total: Where | None = None
    stop: Literal["empty", "short"] = "empty"
    max_pages: int | None = None
    kind: Literal["offset"] = "offset"


@dataclass(frozen=True)
class NextUrl:
    next: Where
    max_pages: int | None = None
    kind: Literal["url"] = "url"


@dataclass(frozen=True)
class LinkHeader:
    max_pages: int | None = None
    kind: Literal["link_header"] = "link_header"


Pagination = Cursor | PageNumber | Offset | NextUrl | LinkHeader


@dataclass(frozen=True)
class OtherTime:
    """The time of a record is another resource's: `{from: sleeps, key: sleep_id, column: start}` (raw column names)."""

    from_: str
    key: str
    column: str


@dataclass(frozen=True)
class Window:
    settle: timedelta
    """How far back every run reads again."""
    time: str | OtherTime | None = None
    """The raw column that holds a record's own time (a dotted path is turned into its column name)."""
    step: timedelta | None = None
    from_: Template | None = None
    """Where history begins: a date, a span back from now (`90d`), or a template."""
    format: str = "rfc3339"
    """rfc3339, date, epoch, epoch_ms, or a strftime pattern; always UTC."""
    end: Literal["exclusive", "inclusive"] = "exclusive"
    widen_before: timedelta = timedelta(0)
    widen_after: timedelta = timedelta(0)
    order: Literal["newest_first"] | None = None
    """newest_first: no filter by time; the first page that is wholly older than the window is the last."""
    by: Literal["change"] | None = None
    """change: the source filters by the time of change, so no window says which records a span of time must hold."""


@dataclass(frozen=True)
class Bookmark:
    """What a source hands out instead of windows: read from each answer, sent with the next run's first request."""

    next: Where
    take: Literal["last", "max"] = "last"


HASH_KEY, HASH = "_key", "$hash"
"""The column, and its path, that `key: hash` stands for."""

ColumnType = Literal["text", "int", "bigint", "float", "numeric", "boolean", "date", "timestamptz", "uuid", "jsonb"]


@dataclass(frozen=True)
class RawColumn:
    name: str
    """The column's name in Postgres: the path with `_` for `.` where nothing else is said."""
    type: ColumnType
    path: str
    """A JMESPath on the record, or `$each`, `$window.start`, `$account.id`; HASH: of what the record says."""
    time: str | None = None
    """Of a timestamptz or date: epoch, epoch_ms or a strptime pattern; None: RFC 3339, or 2026-01-31."""
    names: Literal["account"] | None = None
    """Says whose the record is."""


@dataclass(frozen=True)
class Format:
    """What an answer or a file is written in. What is not about its kind is left at its default."""

    kind: Literal["json", "json_seq", "ndjson", "csv", "xml", "pdf"] = "json"
    delimiter: str = ","
    encoding: str = "utf-8"
    skip: int = 0
    """Lines above the header."""
    header: tuple[str, ...] = ()
    """The names of the columns, where no line says them."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> what its header may be called instead, in any case."""
    templates: tuple[ReportTemplate, ...] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Parts of the templates' patterns, by name."""
    zip: str | None = None
    """The answer is a ZIP; a glob says which of its files are read."""

    @property
    def is_all_text(self) -> bool:
        """Whether every value is text, numbers and times included."""
        return self.kind in ("csv", "xml", "pdf")


JSON = Format()


@dataclass(frozen=True)
class Resource:
    name: str
    request: Request
    key: tuple[str, ...]
    """Raw columns that identify a record within the account; empty: one row per account."""
    columns: tuple[RawColumn, ...]
    records: str | None = None
    """A JMESPath to a list or one object; None: the answer itself."""
    observe: bool = False
    pagination: Pagination | None = None
    window: Window | None = None
    bookmark: Bookmark | None = None
    for_each: ForEach | None = None
    when_stored: Errand | None = None
    warnings: str | None = None
    """A JMESPath on the answer: the source's own words, a text or a list of them."""
    errors: tuple[ErrorRule, ...] = ()
    volatile: tuple[str, ...] = ()
    """Dotted paths that change without meaning anything."""
    missing: Literal["keep", "delete"] = "keep"
    missing_share: float = 0.3
    """How much of what is stored one answer may lack and be believed."""
    format: Format = JSON
    files: str | None = None
    """A pattern of names below the connector's folder, instead of a request."""
    export: Part | None = None
    """Its files of an export, instead of a request."""

    def column(self, name: str) -> RawColumn | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Connector:
    name: str
    file: Path
    http: Http
    resources: Mapping[str, Resource]
    title: str = ""
    docs: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    auth: Auth | None = None
    account: AccountRequest | None = None
    tenants: Tenants | None = None
    files: Files | None = None
    """Where the files lie; a connector of nothing but files has an `http` without an address."""
    exports: Mapping[str, Export] = field(default_factory=dict)
    keep: timedelta | None = None
    """How long a record is kept after it arrived; None: for good."""
    mappings: str | None = None
    """The connector whose mappings it has; None: its own."""

    @property
    def schema(self) -> str:
        """The Postgres schema of its raw tables."""
        return f"{self.name}_raw".replace("-", "_")

    @property
    def shares_mappings(self) -> bool:
        """Whether its mappings are another connector's, under which their fixtures and tests are looked at."""
        return self.mappings not in (None, self.name)

    @property
    def has_tokens(self) -> bool:
        """Whether signing in brings a token, which is stored and renewed."""
        return self.auth is not None and not isinstance(self.auth, Basic)

    def variables(self, *templates: Template | None) -> str:
        """The environment variables that templates read, in words: `A_ID and A_SECRET`; empty where they read none."""
        names = [name for one in templates if one for name in sorted(one.names) if name[0] == "settings"]
        known = (self.settings[name[1]].variable(self.name) for name in names if name[1:2] and name[1] in self.settings)
        return " and ".join(dict.fromkeys(known))

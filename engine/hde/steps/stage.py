"""What a run works with: what was asked for, and everything that is at hand once the account is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hde.mapping.compiled import compile_mapping
from hde.rows import RawTable
from hde.spec.load import Source
from hde.steps.accounts import Way
from hde.steps.map_raw import Mapper, mapper_of
from hde.steps.plan import Range
from hde.steps.report import Report
from hde.store.database import Connection, Database
from hde.store.journal import Account


@dataclass(frozen=True)
class Options:
    resources: tuple[str, ...] = ()
    asked: Range = field(default_factory=Range)
    canonical: bool = True
    daily_refresh: bool = False
    account: str | None = None
    accept_deletes: bool = False
    wait: bool = False
    """For another run of the same account to end."""


@dataclass(frozen=True)
class Stage:
    """Everything a run works with once the account is known."""

    source: Source
    way: Way
    database: Database
    connection: Connection
    account: Account
    tables: Mapping[str, RawTable]
    report: Report
    run: int

    @cached_property
    def mappers(self) -> tuple[Mapper, ...]:
        """All mappings of the source, compiled when the first is needed."""
        return tuple(
            mapper_of(compile_mapping(mapping), self.tables, self.account, self.run) for mapping in self.source.mappings
        )

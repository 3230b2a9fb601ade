"""One canonical row as a plan: which column is read how, what the engine fills in, and when there is no row at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from hde.canonical import METRICS, LocalDateRule, Metric, Table
from hde.canonical.tables import CONTEXT_LOCAL_DATE
from hde.issues import Issue, issue_about
from hde.mapping.at import Read, Reader
from hde.mapping.lookups import Skip
from hde.mapping.measures import Measured
from hde.mapping.paths import Documents
from hde.mapping.row_code import UNREAD, Fill, Shared, fill
from hde.mapping.times import shift
from hde.mapping.values import Finding

_DAY = timedelta(days=1)


class CanonicalRow(NamedTuple):
    """`values` stand in the order of `hde.canonical.TABLES[table].columns`.

    `part` is the name of the row set; inside `each` the key of the item follows, after a `/` where both are there.
    """

    table: str
    part: str
    values: tuple[object, ...]


Finish = Callable[[list[Any], list[Issue]], None]
"""Fills what the engine knows into the values of a row that is read. Raises Finding."""


@dataclass(frozen=True)
class RowPlan:
    table: str
    part: str
    when: Read | None
    blank: list[Any]
    """The row before anything is read: null, or what is the same in every row."""
    optional: list[tuple[int, Reader]]
    """Read first: where one is null there is no row."""
    own: list[tuple[int, Reader]]
    shared: list[Shared]
    finish: tuple[Finish, ...]

    @cached_property
    def _fill(self) -> Fill:
        """Written when the first row is made: most who compile a mapping only want to know whether it can be."""
        return fill(self.blank, self.optional, self.own, self.shared)

    def make(self, documents: Documents, issues: list[Issue], memo: list[Any]) -> CanonicalRow | None:
        """The row, or None where the record makes no such row. Raises Finding."""
        try:
            values = self._fill(documents, issues, memo)
        except Skip:
            return None
        except Finding:
            # what is wrong with a row that another column leaves out anyway is no matter
            if self.findings(documents, [], len(memo)):
                raise
            return None
        if values is None:
            return None
        for finish in self.finish:
            finish(values, issues)
        return CanonicalRow(self.table, self.part, tuple(values))

    def findings(self, documents: Documents, issues: list[Issue], slots: int) -> list[Issue]:
        """Everything that keeps this row from being made, not only the first; empty where nothing does.

        `slots` is how long the memo of a record is.
        """
        found: list[Issue] = []
        everything = [*(one for _, one in (*self.optional, *self.own)), *(one.reader for one in self.shared)]
        for position, reader in enumerate(everything):
            try:
                if reader.read(documents, issues) is None and position < len(self.optional):
                    return []
            except Skip:
                return []
            except Finding as finding:
                found.append(finding.issue)
        if not found:
            try:
                self.make(documents, issues, [UNREAD] * slots)
            except Finding as finding:
                found.append(finding.issue)
        return found


def dated(table: Table, path: str) -> Finish | None:
    """Fills `local_date` by the table's rule; `path` is where an issue with it is filed."""
    if table.local_date is None:
        return None
    at = {column.name: index for index, column in enumerate(table.columns)}
    start, end, offset, target = at["start_time"], at["end_time"], at["utc_offset"], at["local_date"]
    context = at.get("context")
    rules: dict[Any, str] = dict(CONTEXT_LOCAL_DATE) if context is not None else {}
    usual = table.local_date

    def finish(values: list[Any], issues: list[Issue]) -> None:
        zone = values[offset]
        if zone is None:
            return
        rule = usual if context is None else rules.get(values[context], usual)
        try:
            values[target] = _local_date(rule, values[start], values[end], shift(zone))
        except OverflowError:
            raise Finding(Issue(path, "time")) from None

    return finish


def _local_date(rule: LocalDateRule | str, start: datetime, end: datetime | None, ahead: timedelta) -> date | None:
    if rule == "start":
        return (start + ahead).date()
    if rule == "end":
        return None if end is None else (end + ahead).date()
    # An open interval is taken as a day long: a day-cycle that begins in the evening belongs to the day after.
    length = _DAY if end is None else end - start
    return (start + ahead + length / 2).date()


def known_metric(table: Table, metric: Metric, blank: list[Any], path: str) -> Finish | None:
    """Writes what the metric list says into the blank row, and gives the check of its plausible range."""
    at = {column.name: index for index, column in enumerate(table.columns)}
    _describe(metric, at, blank)
    if metric.low is None and metric.high is None:
        return None
    value = at["value"]
    return lambda values, issues: _doubt(metric, values[value], path, issues)


def mapped_metric(table: Table, metric_path: str, path: str) -> Finish:
    """The metric is read from the record: its unit, code and range are looked up in each row."""
    at = {column.name: index for index, column in enumerate(table.columns)}
    name, value = at["metric"], at["value"]

    def finish(values: list[Any], issues: list[Issue]) -> None:
        metric = METRICS.get(values[name])
        if metric is None:
            raise Finding(issue_about(values[name], metric_path, "metric"))
        measured: Measured = values[value]
        values[value] = measured.converted(metric.unit)
        if metric.method and values[at["method"]] not in (None, metric.method):
            raise Finding(issue_about(values[at["method"]], metric_path, "method"))
        _describe(metric, at, values)
        _doubt(metric, values[value], path, issues)

    return finish


def _describe(metric: Metric, at: dict[str, int], values: list[Any]) -> None:
    values[at["metric"]] = metric.name
    values[at["unit"]] = metric.unit
    values[at["loinc"]] = metric.loinc
    values[at["statistic"]] = metric.statistic
    if metric.method:
        values[at["method"]] = metric.method


def _doubt(metric: Metric, value: float, path: str, issues: list[Issue]) -> None:
    low, high = metric.low, metric.high
    if (low is not None and value < low) or (high is not None and value > high):
        issues.append(issue_about(value, path, "plausible", "warning"))

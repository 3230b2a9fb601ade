"""What the engine fills into a row once its columns are read: the local day, and what the metric list says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from hde.canonical import METRICS, LocalDateRule, Metric, Table
from hde.canonical.tables import CONTEXT_LOCAL_DATE
from hde.issues import Issue, issue_about
from hde.mapping.measures import Measured
from hde.mapping.times import shift
from hde.mapping.values import Finding

_DAY: Final = timedelta(days=1)


class Dated(NamedTuple):
    """`local_date` by the table's rule. The numbers are places in the row; `path` is where an issue is filed."""

    start: int
    end: int
    offset: int
    target: int
    context: int | None
    usual: LocalDateRule
    path: str

    @property
    def rules(self) -> Mapping[Any, str]:
        """The rule of a context, where that is not the usual one."""
        return {} if self.context is None else CONTEXT_LOCAL_DATE


class Plausible(NamedTuple):
    """A warning for a value outside the metric's range."""

    value: int
    metric: Metric
    path: str

    def doubt(self, value: float, issues: list[Issue]) -> None:
        """Warn, if there is reason to."""
        low, high = self.metric.low, self.metric.high
        if (low is not None and value < low) or (high is not None and value > high):
            issues.append(issue_about(value, self.path, "plausible", "warning"))


Looked = Callable[[list[Any], list[Issue]], None]
"""Fills what is looked up in each row. Raises Finding."""

Finish = Dated | Plausible | Looked


def dated(table: Table, path: str) -> Dated | None:
    if table.local_date is None:
        return None
    at = {column.name: index for index, column in enumerate(table.columns)}
    start, end, offset, target = (at[name] for name in ("start_time", "end_time", "utc_offset", "local_date"))
    return Dated(start, end, offset, target, at.get("context"), table.local_date, path)


def local_date(rule: str, start: datetime, end: datetime | None, offset: str) -> date | None:
    """The day a row belongs to. OverflowError where there is none."""
    ahead = shift(offset)
    if rule == "start":
        return (start + ahead).date()
    if rule == "end":
        return None if end is None else (end + ahead).date()
    # An open interval is taken as a day long: a day-cycle that begins in the evening belongs to the day after.
    length = _DAY if end is None else end - start
    return (start + ahead + length / 2).date()


def known_metric(table: Table, metric: Metric, blank: list[Any], path: str) -> Plausible | None:
    """Writes what the metric list says into the blank row, and gives the check of its plausible range."""
    at = {column.name: index for index, column in enumerate(table.columns)}
    _describe(metric, at, blank)
    return None if metric.low is None and metric.high is None else Plausible(at["value"], metric, path)


def mapped_metric(table: Table, metric_path: str, path: str) -> Looked:
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
        Plausible(value, metric, path).doubt(values[value], issues)

    return finish


def _describe(metric: Metric, at: dict[str, int], values: list[Any]) -> None:
    values[at["metric"]] = metric.name
    values[at["unit"]] = metric.unit
    values[at["loinc"]] = metric.loinc
    values[at["statistic"]] = metric.statistic
    if metric.method:
        values[at["method"]] = metric.method

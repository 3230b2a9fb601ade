"""Runs one YAML test of a whole resource: recorded answers in, and what differs from the expectation out, as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from hde.errors import HdeError, WrongUse
from hde.mapping.compiled import CompiledMapping, Mapped
from hde.mapping.testing import counted, row_differences, same, shown
from hde.rows import RawRow, key_text
from hde.source.playback import Unanswered
from hde.spec.connector import Resource
from hde.spec.load import Source
from hde.spec.resource_test import Expectation, ResourceTest
from hde.steps.plan import instant
from hde.steps.trying.played import Played, play
from hde.steps.trying.rehearsal import Records, map_row


def run_resource_test(
    test: ResourceTest, source: Source, compiled: Sequence[CompiledMapping], records: Records
) -> list[str]:
    """What differs, as lines; empty where the test passes. WrongUse where the test itself cannot be run."""
    played = play(test, source.connector)
    if isinstance(played.failed, Unanswered):
        return [*str(played.failed).splitlines(), *played.unasked]
    if played.failed is not None or test.error is not None:
        return [*_error(test.error, played.failed), *played.unasked]
    resource, expect = source.connector.resources[test.resource], test.expect or Expectation()
    own = [one for one in compiled if one.from_ == resource.name]
    mapped, waiting = _mapped(test, source, own, played, records)
    return [
        *_raw(expect, played, resource),
        *_course(expect, played),
        *_canonical(expect, mapped, waiting, resource, own),
        *_issues(expect, played),
        *played.unasked,
    ]


def _error(wanted: str | None, failed: HdeError | None) -> Iterator[str]:
    if failed is None:
        yield f"expected an error with {wanted!r}, and there was none"
    elif wanted is None:
        yield f"expected no error, got: {failed}"
    elif wanted not in str(failed):
        yield f"expected an error with {wanted!r}, got: {failed}"


def _course(expect: Expectation, played: Played) -> Iterator[str]:
    """How it went: why it stopped, what it cost."""
    if expect.stopped is not None:
        others = dict.fromkeys(one for one in played.stopped if one != expect.stopped)
        if others or not played.stopped:
            yield f"stopped: expected {expect.stopped!r}, got {', '.join(map(repr, others)) or 'nothing read'}"
    for warning in expect.warnings:
        if warning not in played.warnings:
            yield f"warning {warning!r}: expected, and not there"
    for warning in played.warnings:
        if warning not in expect.warnings:
            yield f"warning {warning!r}: there, and not expected"
    if expect.skipped != played.skipped:
        yield "skipped: it was not" if expect.skipped else "it was skipped, and `skipped: true` is not expected"
    if expect.requests is not None and expect.requests != played.requests:
        yield f"requests: expected {expect.requests}, got {played.requests}"
    if expect.waits is not None and [round(one, 3) for one in expect.waits] != list(played.waits):
        yield f"waits: expected {_seconds(expect.waits)}, got {_seconds(played.waits)}"


def _raw(expect: Expectation, played: Played, resource: Resource) -> Iterator[str]:
    if expect.raw is None:
        return
    rows = list(played.rows.values())
    if len(rows) != len(expect.raw):
        keys = ", ".join(key_text(row.key) for row in rows[:10]) + (", ..." if len(rows) > 10 else "")
        yield f"raw: expected {counted(len(expect.raw))}, got {len(rows)}" + (f" ({keys})" if keys else "")
    for number, (row, cells) in enumerate(zip(rows, expect.raw, strict=False), 1):
        values = raw_values(row, resource)
        for name, wanted in cells.items():
            if not _is(wanted, values[name]):
                yield f"raw, row {number}, {name}: expected {_plain(wanted)}, got {_plain(values[name])}"


def raw_values(row: RawRow, resource: Resource) -> dict[str, object]:
    """The columns of a raw row as values, and `payload` and `key` where no column has that name."""
    found: dict[str, object] = {"payload": msgspec.json.decode(row.payload), "key": key_text(row.key)}
    for column, text in zip(resource.columns, row.values, strict=True):
        found[column.name] = None if text is None else _value(column.type, text)
    return found


def _value(type_: str, text: str) -> object:
    match type_:
        case "int" | "bigint":
            return int(text)
        case "float":
            return float(text)
        case "numeric":
            return Decimal(text)
        case "boolean":
            return text == "t"
        case "timestamptz":
            return datetime.fromisoformat(text)
        case "jsonb":
            return msgspec.json.decode(text.encode())
    return text


def _is(wanted: object, found: object) -> bool:
    if isinstance(found, dict | list) or isinstance(wanted, dict | list):
        return wanted == found
    if isinstance(found, Decimal):
        return same(wanted, float(found)) if isinstance(wanted, int | float) else str(wanted) == str(found)
    return same(wanted, found)


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else shown(value)


def _mapped(
    test: ResourceTest, source: Source, own: Sequence[CompiledMapping], played: Played, records: Records
) -> tuple[Mapped, Mapping[str, int]]:
    """All canonical rows, and how many records wait for one of another resource. Issues are noted in `played`."""
    rows = []
    waiting: Counter[str] = Counter()
    now = instant(test.now, "now")

    def known(name: str) -> Mapping[str, object]:
        return {**records(name), **played.others.get(name, {})}

    for row in played.rows.values():
        made = map_row(row, test.resource, source, own, records=known, account=played.account, observed_at=now)
        for one in made:
            rows += one.mapped.rows
            played.note(one.mapped.issues)
            waiting.update(reference.from_ for reference in one.missing)
    return Mapped(rows, [], False), waiting


def _canonical(
    expect: Expectation,
    mapped: Mapped,
    waiting: Mapping[str, int],
    resource: Resource,
    own: Sequence[CompiledMapping],
) -> Iterator[str]:
    if expect.canonical is None:
        return
    if not own:
        raise WrongUse(f"canonical: no mapping reads {resource.name}")
    tables = list(dict.fromkeys(table for one in own for table in one.tables))
    lines = list(row_differences(expect.canonical, mapped, tables))
    yield from lines
    for name, number in waiting.items() if lines else ():
        yield f"{counted(number)} of {resource.name} waiting for a record of {name} that is not among its fixtures"


def _issues(expect: Expectation, played: Played) -> Iterator[str]:
    wanted = {(issue.path, issue.rule) for issue in expect.issues}
    for path, rule in sorted(wanted - set(played.issues)):
        yield f"issue {path}: {rule}: expected, and not there"
    for path, rule in sorted(set(played.issues) - wanted):
        yield f"issue {path}: {rule}: there, and not expected"


def _seconds(waits: Sequence[float]) -> str:
    return "[" + ", ".join(f"{one:g}" for one in waits) + "]"

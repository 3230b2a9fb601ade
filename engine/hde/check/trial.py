"""Every mapping tried on the recorded records of its resource: what no fixture can become, and numbers without a unit.

Complains about the mapping, never about one odd record: sources send odd records, and the engine files issues for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hde.canonical import TABLES
from hde.check.counterpart import counterpart
from hde.check.fit import article
from hde.check.place import complain, dig
from hde.check.written import Written, written
from hde.errors import WrongUse
from hde.issues import Issue
from hde.mapping.compiled import CanonicalRow, CompiledMapping
from hde.mapping.paths import RECORD, compile_path
from hde.mapping.scope import Scope
from hde.mapping.values import Finding
from hde.spec.connector import Connector
from hde.spec.mapping import Mapping as OneMapping
from hde.spec.mapping import Reference
from hde.spec.mapping_test import MappingTest
from hde.spec.problem import Problem
from hde.spec.yaml_file import YamlFile

Records = Mapping[str, Mapping[str, object]]
"""Resource -> fixture -> record."""

_OBSERVED = {"observed_at": "2026-01-01T00:00:00Z"}
_RULES = {
    "required": "is empty, and the column needs a value",
    "time": "is no time as the mapping reads it: without `time`, RFC 3339 with an offset (2026-01-31T22:00:00Z)",
    "date": "is no date (2026-01-31)",
    "lookup": "holds a word the lookup does not have",
    "word": "holds a word the column does not take: give it a `lookup`",
    "number": "is no number",
    "integer": "is no whole number",
    "offset": "gives no offset from UTC (+02:00)",
    "span": "is no span of time (PT1H30M, 90s)",
    "zone": "is no name of a time zone (Europe/Berlin)",
    "unit": "gives no unit that can become the canonical one",
    "exponent": "is no power of ten",
    "list": "is no list",
    "object": "is no object",
    "length": "is not as long as the lists beside it",
    "key": "is no key: a text or number of at most 500 characters",
    "part": "comes twice in one record: two items would be one row; take another `key`",
    "expression": "cannot be computed",
    "coding": "is no code: {system, code, display}, a list of those, or a map that holds them as `coding`",
    "reference": "names no other record",
}


_COLUMNS = {(column.name, column.type) for table in TABLES.values() for column in table.columns}
_BREAKS: dict[str, tuple[str, ...]] = {
    "time": ("timestamptz", "date", "moment", "day"),
    "number": ("times", "exponent", "float", "int"),
    "integer": ("int",),
    "type": ("text", "boolean", "reference", "verbatim"),
    "coding": ("coding",),
    "reference": ("reference",),
    "word": ("text",),
    "lookup": ("text",),
    "span": ("plus",),
    "offset": ("offset",),
    "unit": ("unit",),
    "exponent": ("exponent",),
    "list": ("each",),
    "object": ("each",),
    "length": ("each",),
    "key": ("key",),
    "part": ("key",),
}
"""Rule -> the types of column, or the words of a reading, that can break it."""


class _Tried(NamedTuple):
    documents: Mapping[str, object]
    errors: list[Issue]


def excused(tests: Sequence[MappingTest], mapping: str) -> frozenset[str]:
    """The fixtures a test expects to be refused as they stand."""
    given = [test.given for test in tests if test.mapping == mapping and test.error]
    return frozenset(one.fixture for one in given if one.fixture and not one.set and not one.drop)


def trial_problems(
    mapping: OneMapping,
    compiled: CompiledMapping,
    connector: Connector,
    file: YamlFile,
    records: Records,
    tests: Sequence[MappingTest],
) -> Iterator[Problem]:
    """`compiled` is the mapping; `tests` are those beside it. Silent where `$account` is read and no test gives one."""
    expressions = list(written(mapping, file))
    own = [test for test in tests if test.mapping == file.file.stem]
    account = next((test.account for test in own if test.account), {})
    if not account and any(one.of == "account" for one in expressions):
        return
    tried: dict[str, _Tried] = {}
    rows: list[CanonicalRow] = []
    for name, record in records.get(mapping.from_, {}).items():
        if name in excused(own, file.file.stem) or not isinstance(record, dict):
            continue
        others = {one.name: _other(one, name, record, mapping, connector, records, own) for one in compiled.references}
        mapped = compiled.map(record, row=_OBSERVED, references=others, account=account)
        if not mapped.waiting:
            documents = {RECORD: record, "row": _OBSERVED, "account": account, **others}
            tried[name] = _Tried(documents, [issue for issue in mapped.issues if issue.level == "error"])
        rows += mapped.rows
    said = list(_complaints(mapping, expressions, tried, file))
    yield from said or _dayless(rows, file)


def _dayless(rows: Sequence[CanonicalRow], file: YamlFile) -> Iterator[Problem]:
    """Sleeps and workouts of which none says its offset from UTC: `daily_summary` would leave all of them out."""
    for name, table in TABLES.items():
        own = [row for row in rows if row.table == name]
        if table.local_date is None or table.column("metric") or not own:
            continue
        at = [column.name for column in table.columns].index("utc_offset")
        if all(row.values[at] is None for row in own):
            message = (
                f"no row of {name} has a local day, so daily_summary leaves them out: map utc_offset (an offset, a time"
                " that carries one, or {path: TIME, zone: ZONE})"
            )
            yield complain(file, ("to", name), message, "warning")


def _complaints(
    mapping: OneMapping, expressions: Sequence[Written], tried: Mapping[str, _Tried], file: YamlFile
) -> Iterator[Problem]:
    failed = {name for name, one in tried.items() if one.errors}
    start = f"no fixture of {mapping.from_} can be mapped: " if failed and len(failed) == len(tried) else ""
    found: dict[tuple[str, str], dict[str, Issue]] = defaultdict(dict)
    for name, one in tried.items():
        for issue in one.errors:
            found[issue.path, issue.rule][name] = issue
    said = False
    for (path, _), issues in found.items():
        name, issue = next(iter(issues.items()))
        at = _place(issue, expressions)
        if at is not None and (fault := _unitless(at, issue, file)):
            yield complain(file, at.trail, f"fixture {name!r} of {mapping.from_} has a number here: {fault}")
            said = True
            continue
        having = {other for other, one in tried.items() if _has(path, one.documents)}
        if having <= set(issues) and (having or len(issues) == len(tried)):
            every = "" if start or len(having) < 2 else " in every fixture that has it"
            message = f"{start}{_words(issue)}{every}; e.g. fixture {name!r}"
            yield complain(file, at.trail if at else ("from",), message)
            said = True
        elif issue.rule == "lookup" and at is not None and not _says_unknown(at, file):
            message = (
                f"fixture {name!r} of {mapping.from_} has a word here that the lookup does not have: an issue, and no "
                "row. Add it, or say what to do (`unknown: issue`, `null`, `keep` or `skip`)"
            )
            yield complain(file, at.trail, message, "warning")
    if start and not said:
        name = min(failed)
        yield complain(file, ("from",), f"{start}{_words(tried[name].errors[0])}; e.g. fixture {name!r}")


def _place(issue: Issue, expressions: Sequence[Written]) -> Written | None:
    """Where the path of an issue is written; where it is written twice, in a column that can break this rule."""
    same = [one for one in expressions if one.here.scope.in_record(one.text) == issue.path]
    fitting = [
        one
        for one in same
        if any(_breaks(str(step), issue.rule) for step in one.trail) and ("unit" in one.trail) == (issue.rule == "unit")
    ]
    return next(iter([*fitting, *same]), None)


def _breaks(step: str, rule: str) -> bool:
    """Whether a column of this name, or this word of a reading, can break the rule."""
    return any(kind == step or (step, kind) in _COLUMNS for kind in _BREAKS.get(rule, ()))


def _words(issue: Issue) -> str:
    kind = f" ({article(issue.json_type)})" if issue.json_type not in ("", "null") else ""
    said = _RULES.get(issue.rule, f"breaks the rule `{issue.rule}`")
    return f"{issue.path}{kind} {said}"


def _unitless(at: Written, issue: Issue, file: YamlFile) -> str:
    """What to write where a span or an offset is a number whose unit is not said."""
    if issue.rule not in ("span", "offset") or issue.json_type != "number":
        return ""
    trail = at.trail[:-1] if at.trail[-1:] == ("path",) else at.trail
    said = dig(file.data, *trail)
    if isinstance(said, dict) and "unit" in said:
        return ""
    return f"a number needs unit: {{path: {at.text}, unit: min}}"


def _says_unknown(at: Written, file: YamlFile) -> bool:
    """Whether the author said what becomes of words the lookup does not have."""
    said = dig(file.data, *(at.trail[:-1] if at.trail[-1:] == ("path",) else at.trail))
    return isinstance(said, dict) and "unknown" in said


def _has(path: str, documents: Mapping[str, Any]) -> bool:
    names = tuple(name for name in documents if name != RECORD)
    try:
        return compile_path(path, Scope(names)).value(documents) not in (None, [])
    except (Finding, WrongUse):
        return True


def _other(
    reference: Reference,
    fixture: str,
    record: Mapping[str, object],
    mapping: OneMapping,
    connector: Connector,
    records: Records,
    tests: Sequence[MappingTest],
) -> Mapping[str, Any] | None:
    """The record a reference leads to: by its key, else as a test of this fixture says; None: none is recorded."""
    known = records.get(reference.from_, {})
    if (other := counterpart(reference, record, mapping.from_, connector, known)) is not None:
        return other
    for test in tests:
        given = test.with_.get(reference.name) if test.given.fixture == fixture else None
        found = known.get(given.fixture or "") if given else None
        if isinstance(found, dict):
            return found
    return None

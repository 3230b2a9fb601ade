"""Which fields of a record are certain to mean something canonical: by their name, the unit in it, and their values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from hde.author import known
from hde.author.fields import Field, Names
from hde.author.known import Known
from hde.author.names import plain, words
from hde.author.part import Map
from hde.canonical import METRICS, TABLES
from hde.errors import WrongUse
from hde.mapping.units import conversion
from hde.spec.problem import snake

_SECONDS = (946_684_800, 4_102_444_800)
"""2000 to 2100, as epoch seconds."""
_OFFSET_TEXT = frozenset("+-Z")


@dataclass(frozen=True)
class Times:
    """How a record's own times are read; `start` is None where it has none that is certain."""

    start: Map | str | None = None
    end: Map | str | None = None
    offset: str | None = None

    @property
    def columns(self) -> Map:
        said = {"start_time": self.start, "end_time": self.end, "utc_offset": self.offset}
        return {name: value for name, value in said.items() if value is not None}


def judged(names: Names) -> str | None:
    """The object on the way to a field that makes it a score, an aim or a bound, and no measurement; None for none."""
    return next((name for name in names if known.JUDGED & set(words(name))), None)


def measured(fields: Sequence[Field]) -> list[Field]:
    """Without those that are no measurements."""
    return [field for field in fields if judged(field.names[:-1]) is None]


def is_called(field: Field, names: Collection[str]) -> bool:
    """Whether a field has one of these names, however its words are written together."""
    return plain(field.names[-1]) in map(plain, names)


def times_of(fields: Sequence[Field]) -> Times:
    """Start (or instant), end and offset from UTC."""
    return Times(
        start=_time(fields, known.STARTS) or _time(fields, known.INSTANTS),
        end=_time(fields, known.ENDS),
        offset=next((field.path for field in fields if is_called(field, known.OFFSETS) and _is_offset(field)), None),
    )


def time_field(fields: Sequence[Field]) -> Field | None:
    """The field a window goes by: a record's own start or instant, as a time the database has."""
    stamped = [field for field in fields if field.type in ("timestamptz", "date")]
    return _first(stamped, known.STARTS) or _first(stamped, known.INSTANTS) or _first(stamped, ["date", "day"])


def metrics_of(fields: Sequence[Field], *, spans: bool) -> Iterator[tuple[str, Field, str]]:
    """Metric, field and unit, each metric once. `spans`: the record has an end."""
    seen: set[str] = set()
    for field in fields:
        for metric, unit in _metrics(field, spans):
            if metric not in seen:
                seen.add(metric)
                yield metric, field, unit


def columns_of(
    fields: Sequence[Field], table: str, names: Sequence[Known], fillers: frozenset[str] = frozenset()
) -> Map:
    """Canonical column of a table: how it is read; for columns that are numbers."""
    found: Map = {}
    for field in fields:
        base, unit = split(field, fillers)
        for one in names:
            sure = _unit(one, base, unit, field)
            if sure and one.target not in found and _converts(sure, table, one.target):
                found[one.target] = {"path": field.path, "unit": sure}
    return found


def usual(names: Names) -> float:
    """A value for a field that means a metric, in the unit that its name says; 1 for any other."""
    field = Field(names, "float", (1.0,), True)
    base, unit = split(field)
    for one in known.METRICS:
        if _is_named(one, base) and (unit is not None or one.sure is None):
            ours = METRICS[one.target].unit
            try:
                return round(conversion(ours, unit or one.unit or ours)(one.usual), 2)
            except WrongUse:
                return one.usual
    return 1.0


def split(field: Field, fillers: frozenset[str] = frozenset()) -> tuple[str, str | None]:
    """A field's name without its unit, and the unit: `distance_meter` is `("distance", "m")`."""
    name = words(field.names[-1])
    unit: str | None = None
    if name[-2:] == ("per", "minute"):
        name, unit = name[:-2], "/min"
    elif len(name) > 1 and name[0] in known.SPANS:  # minutesAsleep
        name, unit = name[1:], known.UNIT_WORDS[name[0]]
    elif len(name) > 1 and name[-1] in known.UNIT_WORDS and name[-2:] not in (("resting", "hr"), ("max", "hr")):
        unit = None if name[-1] == "hr" else known.UNIT_WORDS[name[-1]]
        name = name[:-1] if unit else name
    kept = [word for word in name if word not in fillers]
    return "_".join(kept), unit


def _metrics(field: Field, spans: bool) -> Iterator[tuple[str, str]]:
    if not _is_number(field):
        return
    base, unit = split(field)
    name = snake(field.names[-1])
    if name in known.ALONE_NAMES:
        unit = known.UNIT_WORDS[name]
        metric = known.ALONE[unit]
        if metric != "energy" or spans:
            yield from _plausible(metric, field, unit)
        return
    for one in known.METRICS:
        if one.spans and not spans:
            continue
        if sure := _unit(one, base, unit, field):
            yield from _plausible(one.target, field, sure)


def _plausible(metric: str, field: Field, unit: str) -> Iterator[tuple[str, str]]:
    """Nothing where a value would be out of the metric's range: then the name meant something else."""
    said = METRICS[metric]
    try:
        convert = conversion(unit, said.unit)
    except WrongUse:
        return
    values = [convert(float(value)) for value in field.values if isinstance(value, int | float)]
    low = said.low if said.low is not None else float("-inf")
    high = said.high if said.high is not None else float("inf")
    if all(low <= value <= high for value in values):
        yield metric, unit


def _unit(one: Known, base: str, unit: str | None, field: Field) -> str | None:
    """The unit of a field that is this known one; None where it is not, or the unit is not certain."""
    if not _is_named(one, base) or not _is_number(field):
        return None
    if unit is not None:
        return unit
    if one.unit is None or one.sure is None:
        return one.unit
    low, high = one.sure
    return one.unit if all(isinstance(value, int | float) and low <= value <= high for value in field.values) else None


def _is_named(one: Known, base: str) -> bool:
    return bool(base) and plain(base) in map(plain, one.names.split())


def _converts(unit: str, table: str, column: str) -> bool:
    """Whether a unit is of the column's kind: a share of deep sleep is no span of it."""
    said = TABLES[table].column(column)
    try:
        conversion(unit, said.unit if said and said.unit else "1")
    except WrongUse:
        return False
    return True


def _time(fields: Sequence[Field], names: Sequence[str]) -> Map | str | None:
    stamped = [field for field in fields if _reading(field) is not None]
    field = _first(stamped, names)
    return None if field is None else _reading(field)


def _reading(field: Field) -> Map | str | None:
    """How an instant is read; None where the field is none, or a local time without its zone."""
    if field.type == "timestamptz":
        return field.path
    if not field.values or field.type not in ("int", "bigint"):
        return None
    low, high = _SECONDS
    numbers = [value for value in field.values if isinstance(value, int)]
    if all(low <= value <= high for value in numbers):
        return {"path": field.path, "time": "epoch"}
    return {"path": field.path, "time": "epoch_ms"} if all(low <= value / 1000 <= high for value in numbers) else None


def _first(fields: Sequence[Field], names: Sequence[str]) -> Field | None:
    """The field with the first of the names, the least deep one."""
    order = [plain(name) for name in names]
    named = [
        (order.index(name), len(field.names), field) for field in fields if (name := plain(field.names[-1])) in order
    ]
    return min(named, key=lambda one: (one[1], one[0]))[2] if named else None


def _is_number(field: Field) -> bool:
    return field.type in ("int", "bigint", "float") and bool(field.values)


def _is_offset(field: Field) -> bool:
    return field.type == "text" and bool(field.values) and all(str(value)[:1] in _OFFSET_TEXT for value in field.values)

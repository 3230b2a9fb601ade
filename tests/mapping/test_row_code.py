"""A row made by generated code is the row that its columns' readers give one by one: values, warnings and refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_made import const, lookup, made, path, vitals, workouts

from hde.issues import Issue
from hde.mapping import at
from hde.mapping.compiled import CompiledMapping
from hde.mapping.finish import Dated, Plausible, local_date
from hde.mapping.lookups import Skip
from hde.mapping.row_code import UNREAD, CanonicalRow
from hde.mapping.rows import RowPlan
from hde.mapping.times import instant
from hde.mapping.values import Finding
from hde.source.exact import Exact
from hde.spec.mapping import Reading, UnitRead

THE_SAME_EVERY_TIME = settings(deadline=None, database=None, derandomize=True, max_examples=600)

WORKOUT = made(
    workouts(
        start_time=Reading(first=(path("start"), path("at.start"), path("at.list[0]"))),
        end_time=path("at.end"),
        utc_offset=path("offset"),
        state=path("state", lookup=lookup({"done": "final", "1": "pending", "odd": None})),
        sport=path("sport.kind", lookup=lookup({"1": "one", "true": "yes"}, "keep")),
        source_sport=path("sport.name"),
        load=path("n.a", unit="{score}"),
        load_scale=const("acme"),
        energy=path("n.b", unit="kJ"),
        distance=Reading(sum=("n.a", "n.b", "n.c"), unit="km"),
        average_heart_rate=path("n.a", unit="/min"),
        climb=Reading(first=(path("n.d"), path("n.list"), path("n.c")), unit="[ft_i]"),
        recorded=path("n.c", unit=UnitRead(path="n.unit")),
        zone_0=path("n.b", unit="min", exponent="n.e"),
        zone_1=path("n.list[-1]", unit="min"),
    ),
    when="!left",
)
VITALS = made(
    vitals(
        {
            "body_temperature": {"value": path("n.a", unit="[degF]", optional=True)},
            "weight": {"value": path("n.b", unit="[lb_av]", optional=True), "context": const("day")},
            "height": {"value": path("n.d", unit="cm", optional=True), "context": path("context")},
            "said": {
                "value": path("n.a", unit=UnitRead(path="n.unit"), optional=True),
                "metric": path("metric", lookup=lookup({"hr": "heart_rate", "kg": "weight"}, "skip")),
            },
            "heart_rate_max": {"value": path("max(values(n))", unit="/min")},
            "steps": {"value": path("n.c || n.list[0]", unit="{steps}")},
        },
        start_time=path("start"),
        end_time=path("at.end"),
        utc_offset=path("offset"),
        state=path("state", lookup=lookup({"done": "final"}, "null")),
    )
)

TIMES = ("2026-01-02T08:00:00Z", "2026-01-02T08:00:00.250Z", "2026-01-02t08:00:00z", "2026-01-02T08:00:00+01:00")
NO_TIMES = ("2026-02-30T08:00:00Z", "2026-W01-1T08:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T08:00:00,25Z", "")
TEXTS = st.sampled_from(("a", "1", "1.5", "-0", "\0", "\ud800", "PT1H", "done", "odd", "one", "kg", *TIMES, *NO_TIMES))
NUMBERS = st.sampled_from((0, -0.0, 1, 71, 0.1, -5.5, 2**31, 10**400, 1e300, float("inf"), float("nan"), Exact("2.50")))
ANY = st.none() | st.booleans() | TEXTS | NUMBERS | st.lists(NUMBERS, max_size=2) | st.just({}) | st.just({"a": 1})


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda chance: usual if chance else ANY)


def objects(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return mostly(st.fixed_dictionaries({}, optional=values))


PLAIN = mostly(st.integers(-1000, 1000) | st.floats(-1e4, 1e4))
NUMBERED = objects(
    a=PLAIN,
    b=PLAIN,
    c=PLAIN,
    d=PLAIN,
    e=st.integers(-2, 2),
    list=st.lists(PLAIN, max_size=2),
    unit=st.sampled_from(("kg", "/min", "g", "m")) | ANY,
)
RECORDS = st.fixed_dictionaries(
    {"start": mostly(st.sampled_from(TIMES)), "n": NUMBERED},
    optional={
        "at": objects(start=mostly(st.sampled_from(TIMES)), end=mostly(st.sampled_from(TIMES)), list=st.lists(ANY)),
        "offset": mostly(st.sampled_from(("+02:00", "-05:30", "Z", "+0200"))),
        "context": mostly(st.sampled_from(("day", "sleep", "workout"))),
        "metric": st.sampled_from(("hr", "kg", "other")),
        "state": mostly(st.sampled_from(("done", "1", 1, True, "odd"))),
        "sport": objects(name=mostly(TEXTS), kind=mostly(st.sampled_from(("1", "run", True)))),
    },
)


def one_by_one(plan: RowPlan, documents: dict[str, object], issues: list[Issue], memo: list[Any]) -> Any:
    """What the generated function of a row says it does."""
    values = list(plan.blank)
    for place, reader in plan.optional:
        values[place] = reader.read(documents, issues)
        if values[place] is None:
            return None
    for place, reader in plan.own:
        values[place] = reader.read(documents, issues)
    for place, slot, reader in plan.shared:
        if memo[slot] is UNREAD:
            memo[slot] = reader.read(documents, issues)
        values[place] = memo[slot]
    for step in plan.finish:
        if isinstance(step, Plausible):
            step.doubt(values[step.value], issues)
        elif not isinstance(step, Dated):
            step(values, issues)
        elif values[step.offset] is not None:
            context = None if step.context is None else values[step.context]
            rule = step.rules.get(context, step.usual)
            values[step.target] = local_date(rule, values[step.start], values[step.end], values[step.offset])
    return CanonicalRow(plan.table, plan.part, tuple(values))


def rows(mapping: CompiledMapping, record: object, read: Any) -> list[str]:
    """Each row with its types and warnings, or why there is none."""
    found, memo = [], [UNREAD] * mapping.slots
    for target in mapping.targets:
        for plan in target.rows:
            issues: list[Issue] = []
            try:
                found.append(repr(read(plan, {"": record}, issues, memo)))
            except (Finding, Skip) as stop:
                found.append(repr(getattr(stop, "issue", stop)))
            found.append(repr(issues))
    return found


@THE_SAME_EVERY_TIME
@given(st.sampled_from((WORKOUT, VITALS)), RECORDS)
def test_generated_rows_are_what_the_readers_read(mapping: CompiledMapping, record: dict[str, Any]) -> None:
    generated = rows(mapping, record, lambda plan, *arguments: plan._maker(*arguments))
    assert generated == rows(mapping, record, one_by_one)


@pytest.mark.parametrize(
    "more",
    [
        {"sport": {"name": "\ud800"}},
        {"sport": {"name": "a\0b"}},
        {"sport": {"name": "größe"}},
        {"n": {"list": [], "c": 3}},
        {"n": {"d": [], "list": [], "c": []}},
        {"n": {"a": float("inf"), "b": 1, "c": 2}},
        {"n": {"a": True}},
        {"n": {"a": -0.0, "b": -0.0, "c": -0.0}},
        {"state": "odd"},
        {"state": ["odd", "done"]},
        {"start": None, "at": {"start": [], "list": ["2026-01-02T08:00:00Z"]}},
        {"at": [{"start": 1}]},
    ],
    ids=repr,
)
def test_a_corner_of_a_row(more: dict[str, Any]) -> None:
    record = {"start": "2026-01-02T08:00:00Z", **more}
    assert rows(WORKOUT, record, lambda plan, *arguments: plan._maker(*arguments)) == rows(WORKOUT, record, one_by_one)


@given(st.text("0123456789-:TtZz.,+W ", min_size=18, max_size=28) | st.sampled_from((*TIMES, *NO_TIMES)))
@settings(deadline=None, database=None, derandomize=True)
def test_the_short_way_to_an_instant_takes_nothing_else(text: str) -> None:
    short = at._utc(text)
    assert short is None or short == instant(text, "start")


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("2026-01-02T08:00:00Z", datetime(2026, 1, 2, 8, tzinfo=UTC)),
        ("2026-01-02T08:00:00.250Z", datetime(2026, 1, 2, 8, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-01-02T24:00:00Z", None),
        ("2026-01-02T08:00:00,250Z", None),
        ("2026-01-02 08:00:00Z", None),
        ("2026-W01-1T08:00:00Z", None),
        ("2026-01-02T08:00:00.2\u0665Z", None),
        ("2026-02-30T08:00:00Z", None),
    ],
)
def test_the_short_way_is_for_one_form_alone(text: str, short: datetime | None) -> None:
    assert at._utc(text) == short

"""FHIRPath said in JMESPath: text by text, and against another implementation of FHIRPath on made-up resources."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from fhirpathpy import evaluate
from fhirpathpy.models import models
from hypothesis import given, settings
from hypothesis import strategies as st

from hde.author.viewdefinition.code import Code, literal, single, whole
from hde.author.viewdefinition.language import starting_at
from hde.author.viewdefinition.speak import say
from hde.author.viewdefinition.syntax import PathError, parse
from hde.author.viewdefinition.translate import Unsayable
from hde.author.viewdefinition.view import Unreadable, read_view
from hde.mapping import expression

CASES = yaml.safe_load((Path(__file__).parent / "viewdefinition_paths.yaml").read_text(encoding="utf-8"))
CONSTANTS = {"use": literal("official", "string"), "one": literal(1, "integer"), "yes": literal(True, "boolean")}


class Case(NamedTuple):
    type: str
    path: str
    said: str


def said_as(said: str) -> list[Case]:
    return [Case(type_, *one) for type_, cases in CASES[said].items() for one in cases.items()]


def said(type_: str, path: str, notes: list[str] | None = None) -> Code:
    return starting_at(type_, CONSTANTS, type_, [] if notes is None else notes).value(parse(path))


@pytest.mark.parametrize("case", said_as("said"), ids=lambda case: case.path)
def test_a_path_is_said_so(case: Case) -> None:
    text = said(case.type, case.path).text
    assert text == case.said
    expression.compile(text)


@pytest.mark.parametrize("case", said_as("true_where"), ids=lambda case: case.path)
def test_a_condition_is_said_so(case: Case) -> None:
    text = starting_at(case.type, CONSTANTS, case.type, []).condition(parse(case.path))
    assert text == case.said
    expression.compile(text)


@pytest.mark.parametrize("case", said_as("refused"), ids=lambda case: case.path)
def test_what_cannot_be_said_is_refused_with_a_reason(case: Case) -> None:
    with pytest.raises((Unsayable, PathError)) as refused:
        said(case.type, case.path)
    assert case.said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("case", said_as("noted"), ids=lambda case: case.path)
def test_what_is_said_with_a_difference_is_noted(case: Case) -> None:
    notes: list[str] = []
    said(case.type, case.path, notes)
    assert len(set(notes)) == 1
    assert case.said in notes[0]


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_is_refused_in_one_line(text: str) -> None:
    refused = None
    try:
        parse(text)
    except PathError as error:
        refused = str(error)
    assert refused is None or (len(refused) < 300 and "\n" not in refused)


ENDLESS = {
    "a chain of xor": " xor ".join(["active"] * 400),
    "a chain of and": " and ".join(["active"] * 600),
    "conditions in conditions": "(" * 40 + "active" + " = active)" * 40,
    "brackets": "(" * 2000 + "id" + ")" * 2000,
    "functions": "name" + ".first()" * 600,
    "minus": "-" * 4000 + "1",
    "a number": "1" * 4500,
    "a long text": f"'{'x' * 9000}'",
}


@pytest.mark.parametrize("title", ENDLESS)
def test_what_would_never_end_is_refused_at_once(title: str) -> None:
    column = {"name": "a", "path": ENDLESS[title]}
    with pytest.raises(Unreadable) as refused:
        say(read_view({"resource": "Patient", "select": [{"column": [column]}]}))
    (complaint,) = refused.value.complaints
    assert len(complaint.what) < 200


WORDS = st.sampled_from(["official", "usual", "Ann", "Bo", "phone", ""])
MAYBE_WORD = st.none() | WORDS


def without_null(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None and value != []}


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields).map(without_null)


PERIOD = objects(start=st.none() | st.sampled_from(["2020", "2020-02-03"]))
NAMES = objects(use=MAYBE_WORD, family=MAYBE_WORD, given=st.lists(WORDS, max_size=3), period=st.none() | PERIOD)
TELECOM = objects(system=MAYBE_WORD, value=MAYBE_WORD, rank=st.none() | st.integers(0, 3))
CODING = objects(system=MAYBE_WORD, code=MAYBE_WORD)
PATIENTS = objects(
    resourceType=st.just("Patient"),
    id=st.just("p1"),
    active=st.none() | st.booleans(),
    gender=MAYBE_WORD,
    deceasedBoolean=st.none() | st.booleans(),
    name=st.lists(NAMES, max_size=3),
    telecom=st.lists(TELECOM, max_size=3),
    contact=st.lists(objects(name=st.none() | NAMES, telecom=st.lists(TELECOM, max_size=2)), max_size=2),
    maritalStatus=st.none() | objects(coding=st.lists(CODING, max_size=3), text=MAYBE_WORD),
)

LISTS = ["name", "name.given", "telecom", "contact.telecom", "contact.name.given", "maritalStatus.coding", "link"]
TEXTS = ["gender", "name.family", "name.first().family", "telecom.system", "maritalStatus.text", "name.given.first()"]
BOOLEANS = [
    "active",
    "deceased.ofType(boolean)",
    "(gender = 'Ann')",
    "name.exists()",
    "telecom.where(rank > 1).empty()",
]
OF_NAME = ["use = 'official'", "use != 'usual'", "given.exists()", "family.exists().not()", "period.empty()"]
OF_TELECOM = [
    "rank > 1",
    "rank <= 2",
    "system = 'phone' and rank = 1",
    "system = 'phone' or rank = 1",
    "value.exists()",
]


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(
        st.sampled_from(["boolean", "compared", "not", "both", "exists", "in"] if depth else ["boolean", "compared"])
    )
    match kind:
        case "boolean":
            return draw(st.sampled_from(BOOLEANS))
        case "compared":
            operator = draw(st.sampled_from(["=", "!="]))
            return f"({draw(st.sampled_from(TEXTS))} {operator} {draw(st.sampled_from(['%use', *TEXTS, repr('Ann')]))})"
        case "not":
            return f"{draw(conditions(depth - 1))}.not()"
        case "both":
            operator = draw(st.sampled_from(["and", "or", "xor", "implies"]))
            return f"({draw(conditions(depth - 1))} {operator} {draw(conditions(depth - 1))})"
        case "in":
            return f"(gender in ('Ann' | {draw(st.sampled_from(['%use', repr('Bo')]))}))"
    return f"name.where({draw(st.sampled_from(OF_NAME))}).exists()"


@st.composite
def paths(draw: st.DrawFn) -> str:
    match draw(st.sampled_from(["list", "text", "where", "condition", "index", "iif", "joined"])):
        case "joined":
            texts = st.sampled_from(["gender", "name.first().family", "'x'", "maritalStatus.text"])
            return f"{draw(texts)} {draw(st.sampled_from(['+', '&']))} {draw(texts)}"
        case "list":
            return draw(st.sampled_from(LISTS)) + draw(st.sampled_from(["", ".first()", ".last()", "[1]", ".count()"]))
        case "text":
            return draw(st.sampled_from(TEXTS))
        case "where":
            name = f"name.where({draw(st.sampled_from(OF_NAME))})"
            telecom = f"telecom.where({draw(st.sampled_from(OF_TELECOM))})"
            return draw(
                st.sampled_from([f"{name}.given", f"{name}.family", f"{telecom}.value", f"{telecom}.first().rank"])
            )
        case "index":
            return draw(st.sampled_from(["name[%one].given[0]", "name.given[1]", "contact.telecom[0].value"]))
        case "iif":
            return f"iif({draw(conditions())}, name.given, telecom.value)"
    return draw(conditions())


@settings(max_examples=400, deadline=None)
@given(PATIENTS, paths())
def test_what_it_gives_is_what_fhirpath_gives(patient: dict[str, Any], path: str) -> None:
    """fhirpathpy as the oracle; where it refuses several values, ours is a list where one value is wanted."""
    context = {"use": "official", "one": 1, "yes": True}
    code = said("Patient", path)
    ours = expression.compile(whole(code))(patient) if not code.is_one else expression.compile(code.text)(patient)
    try:
        theirs = evaluate(patient, path, context, models["r4"])
    except Exception:  # noqa: BLE001 - whatever it raises for more than one value
        return
    found = ours if isinstance(ours, list) else [] if ours is None else [ours]
    assert found == theirs, (path, code.text)


@given(PATIENTS, st.sampled_from(["name", "name.given", "telecom.value", "contact.telecom.system"]))
def test_one_value_is_that_value_and_several_stay_a_list(patient: dict[str, Any], path: str) -> None:
    found = expression.compile(single(said("Patient", path)).text)(patient)
    every = evaluate(patient, path, {}, models["r4"])
    assert found == (None if not every else every[0] if len(every) == 1 else every)

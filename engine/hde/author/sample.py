"""One answer of a source, as its author has it: read, bounded, and the records in it found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from hde.author.names import is_sayable, path_text, singular, word_set
from hde.author.part import guessed
from hde.errors import WrongUse
from hde.mapping.expression import ExpressionError, compile
from hde.spec.problem import snake

LARGEST = 5_000_000
DEEPEST = 40
_ENVELOPES = ("records", "items", "data", "results", "entries", "entry", "value", "values", "list", "rows", "content")
"""Names of lists of records, the likeliest first."""
_AROUND = word_set(
    """count cursor cursors has_more hasmore href limit link links meta metadata more next next_cursor
    next_page next_page_token next_token next_url object offset ok page page_info page_number page_size
    paging pagination per_page prev previous request_id self size skip start status success total
    total_count total_pages total_results type updatetime kind etag first last current_page from to code
    message error errors odata_context odata_next_link odata_count resource_type"""
)
"""What stands beside the records of a page, and in no record alone."""


@dataclass(frozen=True)
class Found:
    """The records of an answer. `at`: names on the way to them, where that is a plain path."""

    records: tuple[Mapping[str, Any], ...]
    path: str | None
    """As `records` says it; None for the answer itself."""
    at: tuple[str, ...] = ()
    is_list: bool = True
    note: str = ""


def read_answer(text: str) -> object:
    """The JSON of an answer; characters no database can hold are replaced. WrongUse says what is wrong with it."""
    if len(text) > LARGEST:
        raise WrongUse(f"The sample has more than {LARGEST // 1_000_000} MB; one page of a source's answer is enough")
    try:
        answer: object = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise WrongUse(f"The sample is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        answer = None
    except ValueError as error:
        raise WrongUse(f"The sample cannot be read: {str(error).partition(';')[0]}") from None
    if answer is None or not _is_shallow(answer):
        raise WrongUse(f"The sample is nested more than {DEEPEST} levels deep, or null")
    return _storable(answer)


def find_records(answer: object, resource: str, said: str | None = None) -> Found:
    """Where the records are: at the path that is `said`, else at the likeliest place. WrongUse where there are none."""
    if said is not None:
        return _at_path(answer, said)
    if isinstance(answer, list):
        return Found(_objects(answer, "the answer"), None)
    if not isinstance(answer, dict):
        raise WrongUse("The sample is neither an object nor a list: there is no record in it")
    if answer.get("resourceType") == "Bundle" and isinstance(answer.get("entry"), list):
        return _at_path(answer, "entry[].resource || `[]`")
    return _likeliest(answer, resource)


def _likeliest(answer: Mapping[str, Any], resource: str) -> Found:
    lists = sorted(_lists(answer, ()), key=lambda names: _rank(names, resource))
    for names in lists:
        inside = _below(answer, names)
        if _is_page(answer, names, resource):
            note = guessed("the list of records") if len(lists) > 1 else ""
            return Found(_objects(inside, path_text(names)), path_text(names), names, True, note)
    inner = [name for name, value in answer.items() if isinstance(value, dict) and value]
    if len(inner) == 1 and inner[0] in (*_ENVELOPES, resource, singular(resource)) and _is_around(answer, inner[0]):
        return Found((answer[inner[0]],), path_text(inner), (inner[0],), False, guessed("one object in an envelope"))
    if not answer:
        raise WrongUse("The sample is an empty object: there is no record in it. Take an answer that holds something")
    return Found((answer,), None, (), False, "")


def _lists(value: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Where lists of objects, or empty ones, stand in objects of objects."""
    for name, below in value.items():
        if is_sayable(name) and isinstance(below, list) and all(isinstance(one, dict) for one in below):
            yield (*above, name)
        elif is_sayable(name) and isinstance(below, dict) and len(above) < 2:
            yield from _lists(below, (*above, name))


def _rank(names: tuple[str, ...], resource: str) -> tuple[int, int]:
    last = snake(names[-1])
    known = (resource, singular(resource), *_ENVELOPES)
    return (known.index(last) if last in known else len(known), len(names))


def _is_page(answer: Mapping[str, Any], names: tuple[str, ...], resource: str) -> bool:
    """Whether the answer is there for the sake of this list; else it is one object that has a list in it."""
    last = snake(names[-1])
    if last in (resource, *_ENVELOPES[:5]):
        return True
    inside: Any = answer
    for name in names:
        if not _is_around(inside, name):
            return False
        inside = inside[name]
    return True


def _is_around(value: Mapping[str, Any], name: str) -> bool:
    return all(snake(other) in _AROUND for other in value if other != name)


def _at_path(answer: object, path: str) -> Found:
    try:
        found: Any = compile(path)(answer)
    except ExpressionError:
        raise
    except (ValueError, TypeError):
        found = None
    if isinstance(found, dict):
        return Found((found,), path, tuple(path.split(".")), False)
    if not isinstance(found, list):
        raise WrongUse(f"records: {path!r} leads to no list and no object in the sample")
    return Found(_objects(found, path), path, tuple(path.split(".")))


def _objects(found: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    if not found:
        raise WrongUse(f"The list in {where} is empty: take an answer that holds some records")
    objects = tuple(one for one in found if isinstance(one, dict) and one)
    if len(objects) < len(found):
        raise WrongUse(f"The list in {where} does not hold objects only: a record is an object")
    return objects


def _below(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        value = value[name]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_shallow(value: object) -> bool:
    todo = [(value, 0)]
    while todo:
        one, depth = todo.pop()
        if depth > DEEPEST:
            return False
        below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        todo += [(part, depth + 1) for part in below]
    return True


def _storable(value: Any) -> Any:
    """Without NUL and lone surrogates, and with numbers that are finite: what a fixture can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_storable(name): _storable(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise WrongUse("The sample holds a number that is too large to be one (1e999)")
    return value

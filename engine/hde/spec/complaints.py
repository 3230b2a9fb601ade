"""JSON Schema's errors in words for an author: what is wrong and what was probably meant. Knows no files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jsonschema import ValidationError

from hde.spec.problem import KeyPath, did_you_mean, quoted, shown, with_hint

Schema = Mapping[str, Any]

_KINDS: Final = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


@dataclass(frozen=True)
class Complaint:
    path: KeyPath
    message: str
    of_value: bool = False
    """About the value at `path`, not its key."""
    missing: str = ""
    """The key that is missing at `path`."""
    meant: str = ""
    """The key that was probably meant by the unknown one at `path`."""


@dataclass(frozen=True)
class _Fault:
    """A ValidationError as far as it matters here."""

    keyword: str
    limit: Any
    """What the keyword says."""
    value: Any
    schema: Schema
    path: KeyPath
    error: ValidationError


def complaints(error: ValidationError, root: Schema) -> Iterator[Complaint]:
    """What one error means, with the paths from the top. `root` is where `$ref` points into."""
    path: KeyPath = tuple(error.absolute_path)
    schema: Any = error.schema
    fault = _Fault(str(error.validator), error.validator_value, error.instance, schema, path, error)
    match fault.keyword:
        case "additionalProperties":
            yield from _unknown_keys(fault)
        case "required":
            yield from _missing(fault)
        case "anyOf" | "oneOf":
            yield from _union(fault, root)
        case "dependentRequired":
            for key, needed in fault.limit.items():
                lacking = [one for one in needed if one not in fault.value]
                if key in fault.value and lacking:
                    yield Complaint((*path, key), f"{key!r} means nothing without {_or(map(repr, lacking))}")
        case "not":
            one, other = fault.limit["required"]
            yield Complaint((*path, other), f"{one!r} and {other!r} exclude each other; take one of them")
        case _:
            yield Complaint(path, _about_value(fault), of_value=True)


def _unknown_keys(fault: _Fault) -> Iterator[Complaint]:
    schema, path = fault.schema, fault.path
    known = list(schema.get("properties", ()))
    patterns = list(schema.get("patternProperties", ()))
    free = [key for key in known if key not in fault.value]
    for key in fault.value:
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        if patterns:
            yield Complaint((*path, key), f"{quoted(key)} is not {schema['x-names']}")
        elif kind := schema.get("x-kind"):
            others = ", ".join(name for name in known if name != "kind")
            yield Complaint((*path, key), f"{quoted(key)} does not go with kind {kind}, which takes {others}")
        else:
            hint = did_you_mean(key, free)
            there_is = f". There is {', '.join(sorted(free))}" if free else ""
            message = f"unknown key {quoted(key)}"
            yield Complaint((*path, key), f"{message}.{hint}" if hint else message + there_is, meant=_meant(hint))


def _missing(fault: _Fault) -> Iterator[Complaint]:
    # jsonschema gives one error per missing key and says which only in its message
    for key in fault.limit:
        if key not in fault.value and fault.error.message.startswith(repr(key)):
            yield Complaint(fault.path, f"{key!r} is missing", missing=key)


def _union(fault: _Fault, root: Schema) -> Iterator[Complaint]:
    path = fault.path
    branches = [resolved(branch, root) for branch in fault.limit]
    if all(set(branch) == {"required"} for branch in branches):
        if isinstance(fault.value, dict):
            yield _one_of_keys(fault, [branch["required"][0] for branch in branches])
        return
    kinds = {kind: branch for branch in branches if (kind := _kind(branch))}
    if kinds and isinstance(fault.value, dict):
        yield from _of_kinds(fault, branches, kinds, root)
        return
    fitting = [branch for branch in branches if _fits(fault.value, branch)]
    if not fitting:
        words = dict.fromkeys(word for branch in branches for word in _expected(branch))
        yield Complaint(path, _wrong_type(fault.value, words), of_value=True)
    elif _lacks_brackets(fault.value, fitting, branches):
        known = _or(fitting[0]["enum"])
        message = f"{quoted(fault.value)} is not {known}, and else a list is expected: write [{fault.value[:40]}]"
        yield Complaint(path, message, of_value=True)
    elif len(fitting) == 1:
        yield from _branch(fault, branches, fitting[0], root)
    else:
        yield Complaint(path, _none_of(fault.value, fitting), of_value=True)


def _of_kinds(
    fault: _Fault, branches: Sequence[Schema], kinds: Mapping[str, Schema], root: Schema
) -> Iterator[Complaint]:
    """A map whose `kind` says which branch is meant."""
    kind = fault.value.get("kind")
    if isinstance(kind, str) and kind in kinds:
        yield from _branch(fault, branches, kinds[kind], root)
    elif "kind" in fault.value:
        yield Complaint((*fault.path, "kind"), _not_one_of(kind, list(kinds)), of_value=True)
    elif hint := next((key for key in fault.value if did_you_mean(key, ["kind"])), None):
        yield Complaint((*fault.path, hint), f"unknown key {quoted(hint)}. Did you mean 'kind'?", meant="kind")
    else:
        yield Complaint(fault.path, f"'kind' is missing: {_or(kinds)}", missing="kind")


def _lacks_brackets(value: object, fitting: Sequence[Schema], branches: Sequence[Schema]) -> bool:
    """A text that is none of the words a key takes beside a list: rather the only element of a list."""
    is_no_word = isinstance(value, str) and len(fitting) == 1 and value not in fitting[0].get("enum", (value,))
    return is_no_word and any(branch.get("type") == "array" for branch in branches)


def _branch(fault: _Fault, branches: Sequence[Schema], chosen: Schema, root: Schema) -> Iterator[Complaint]:
    """Only the complaints of the branch that was meant."""
    for inner in fault.error.context or ():
        if branches[int(inner.schema_path[0])] is chosen:
            yield from complaints(inner, root)


def _kind(branch: Schema) -> str | None:
    kind: str | None = branch.get("properties", {}).get("kind", {}).get("const")
    return kind


def _one_of_keys(fault: _Fault, keys: list[str]) -> Complaint:
    path = fault.path
    given = [key for key in keys if key in fault.value]
    if given:
        advice = fault.schema.get("x-both", "take one of them")
        return Complaint((*path, given[1]), f"{_and(map(repr, given))} exclude each other; {advice}")
    hints = (did_you_mean(key, keys) for key in fault.value)
    meant = next((_meant(hint) for hint in hints if hint), "")
    return Complaint(path, f"{_or(map(repr, keys))} is missing", missing=meant or keys[0])


def _about_value(fault: _Fault) -> str:
    value, limit, schema = fault.value, fault.limit, fault.schema
    match fault.keyword:
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            if "x-words" in schema and len(types) == 1:
                return f"{schema['x-words']} is expected here, and this is {_described(value)}"
            return _wrong_type(value, (_KINDS[kind] for kind in types))
        case "enum":
            return _not_one_of(value, ["null" if word is None else word for word in limit])
        case "const":
            return _not_one_of(value, [shown(limit)])
        case "pattern":
            return f"{quoted(value)} is not {schema['x-words']}"
        case "format":
            return str(fault.error.cause)
        case "minLength":
            return "an empty text"
        case "minItems":
            return "an empty list"
        case "uniqueItems":
            return "a list with the same twice"
        case "minProperties":
            return schema["x-least"] if value and "x-least" in schema else "an empty map"
        case "minimum":
            return f"{shown(value)} is too small; {limit} is the least"
        case "maximum":
            return f"{shown(value)} is too large; {limit} is the most"
        case _:
            return fault.error.message


def _wrong_type(value: object, expected: Iterable[str]) -> str:
    words = [word for word in expected if word != "nothing"]
    message = f"{_or(words)} is expected here, and this is {_described(value)}"
    if "a text" in words and isinstance(value, bool | int | float):
        return f"{message}: put it in quotes"
    if words == ["a list"] and isinstance(value, str):
        return f"{message}: write [{value[:40]}]"
    return message


def _described(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return shown(value)
        case dict():
            return "a map"
        case list():
            return "a list"
        case str():
            return f"the text {quoted(value)}"
        case _:
            return f"the number {value}"


def _not_one_of(value: object, words: Sequence[str]) -> str:
    if isinstance(value, dict | list):
        return f"{_or(words)} is expected here, and this is {_described(value)}"
    if value == "null" and value in words:
        return "'null' in quotes is a text; write null"
    if len(words) == 1:
        return with_hint(f"{quoted(value)} is not {words[0]}, the only one there is", shown(value), words)
    return with_hint(f"{quoted(value)} is not one of {', '.join(words)}", shown(value), words)


def _none_of(value: object, branches: Sequence[Schema]) -> str:
    """A text that may be a word or follow a pattern, and is neither."""
    words = [word for branch in branches for word in branch.get("enum", ())]
    patterns = [branch["x-words"] for branch in branches if "x-words" in branch]
    return with_hint(f"{quoted(value)} is not {_or([*words, *patterns])}", shown(value), words)


def _fits(value: object, branch: Schema) -> bool:
    if "enum" in branch or "const" in branch:
        return isinstance(value, str)
    types = branch.get("type", list(_KINDS))
    return any(_is(value, kind) for kind in ([types] if isinstance(types, str) else types))


def _is(value: object, kind: str) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _expected(branch: Schema) -> Iterator[str]:
    if "enum" in branch:
        yield "a text"
    types = branch.get("type", ())
    for kind in [types] if isinstance(types, str) else types:
        yield _KINDS[kind]


def resolved(schema: Schema, root: Schema) -> Schema:
    """What a `$ref` points to, its siblings over it."""
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _meant(hint: str) -> str:
    """The word in the quotes of a hint."""
    return hint.rpartition("'")[0].rpartition("'")[2]


def _or(words: Iterable[str]) -> str:
    return _joined(words, "or")


def _and(words: Iterable[str]) -> str:
    return _joined(words, "and")


def _joined(words: Iterable[str], word: str) -> str:
    *most, last = words
    return f"{', '.join(most)} {word} {last}" if most else last

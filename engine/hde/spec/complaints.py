"""JSON Schema's errors in words for an author: what is wrong and what was probably meant. Knows no files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import ValidationError

from hde.spec.elsewhere import left_of, other_name, place_of, resolved
from hde.spec.problem import KeyPath, did_you_mean, quoted, shown, snake
from hde.spec.value_words import both, described, either, expected, fits, none_of, not_one_of, wrong_type

Schema = Mapping[str, Any]


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
    instead: bool = False
    """Says better what the value at `path` lacks."""


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
            yield from _unknown_keys(fault, root)
        case "required":
            yield from _missing(fault)
        case "anyOf" | "oneOf":
            yield from _union(fault, root)
        case "dependentRequired":
            for key, needed in fault.limit.items():
                lacking = [one for one in needed if one not in fault.value]
                if key in fault.value and lacking:
                    yield Complaint((*path, key), f"{key!r} means nothing without {either(map(repr, lacking))}")
        case "not":
            one, other = fault.limit["required"]
            yield Complaint((*path, other), f"{one!r} and {other!r} exclude each other; take one of them")
        case _:
            yield Complaint(path, _about_value(fault), of_value=True)


def _unknown_keys(fault: _Fault, root: Schema) -> Iterator[Complaint]:
    schema, path = fault.schema, fault.path
    known = list(schema.get("properties", ()))
    patterns = list(schema.get("patternProperties", ()))
    unknown = [
        key for key in fault.value if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    ]
    if not patterns and (empty := left_of(fault.value, unknown, schema, root)):
        below = f"{unknown[0]}, ..." if len(unknown) > 1 else unknown[0]
        message = f"nothing stands below {empty!r}: indent what belongs to it ({below})"
        yield Complaint((*path, empty), message, instead=True)
        return
    for key in unknown:
        if patterns:
            name = snake(key)
            fitting = any(re.search(pattern, name) for pattern in patterns)
            hint = f". Did you mean {name!r}?" if fitting and name != key else ""
            yield Complaint((*path, key), f"{quoted(key)} is not {schema['x-names']}{hint}")
        elif kind := schema.get("x-kind"):
            others = ", ".join(name for name in known if name != "kind")
            yield Complaint((*path, key), f"{quoted(key)} does not go with kind {kind}, which takes {others}")
        else:
            yield _unknown_key(key, fault, root)


def _unknown_key(key: str, fault: _Fault, root: Schema) -> Complaint:
    free = [name for name in fault.schema.get("properties", ()) if name not in fault.value]
    message = f"unknown key {quoted(key)}"
    path = (*fault.path, key)
    name, colon, value = key.partition(":")
    if colon and name in free:
        return Complaint(path, f"{message}: a space stands after the colon: write {name}: {value[:40]}", meant=name)
    if also := other_name(key, fault.schema):
        return Complaint(path, f"{message}. Did you mean {also!r}?", meant=also)
    if hint := did_you_mean(key, free):
        return Complaint(path, f"{message}.{hint}", meant=_meant(hint))
    if place := place_of(key, fault.schema, fault.path, root):
        return Complaint(path, f"{message} here: {place}")
    return Complaint(path, f"{message}. There is {', '.join(sorted(free))}" if free else message)


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
    fitting = [branch for branch in branches if fits(fault.value, branch)]
    if not fitting and (hint := did_you_mean(str(path[-1]), fault.schema.get("x-rather", ()))):
        yield Complaint(path, f"unknown key {quoted(path[-1])}.{hint}", meant=_meant(hint))
    elif not fitting:
        words = dict.fromkeys(word for branch in branches for word in expected(branch))
        yield Complaint(path, wrong_type(fault.value, words, branches), of_value=True)
    elif _lacks_brackets(fault.value, fitting, branches):
        known = either(fitting[0]["enum"])
        message = f"{quoted(fault.value)} is not {known}, and else a list is expected: write [{fault.value[:40]}]"
        yield Complaint(path, message, of_value=True)
    elif len(fitting) == 1:
        yield from _branch(fault, branches, fitting[0], root)
    else:
        yield Complaint(path, none_of(fault.value, fitting), of_value=True)


def _of_kinds(
    fault: _Fault, branches: Sequence[Schema], kinds: Mapping[str, Schema], root: Schema
) -> Iterator[Complaint]:
    """A map whose `kind` says which branch is meant."""
    kind = fault.value.get("kind")
    if isinstance(kind, str) and kind in kinds:
        yield from _branch(fault, branches, kinds[kind], root)
    elif "kind" in fault.value:
        yield Complaint((*fault.path, "kind"), not_one_of(kind, list(kinds), {}), of_value=True)
    elif hint := next((key for key in fault.value if did_you_mean(key, ["kind"])), None):
        yield Complaint((*fault.path, hint), f"unknown key {quoted(hint)}. Did you mean 'kind'?", meant="kind")
    else:
        yield Complaint(fault.path, f"'kind' is missing: {either(kinds)}", missing="kind")


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
        return Complaint((*path, given[1]), f"{both(map(repr, given))} exclude each other; {advice}")
    hints = (did_you_mean(key, keys) for key in fault.value)
    meant = next((_meant(hint) for hint in hints if hint), "")
    return Complaint(path, f"{either(map(repr, keys))} is missing", missing=meant or keys[0])


def _about_value(fault: _Fault) -> str:
    value, limit, schema = fault.value, fault.limit, fault.schema
    match fault.keyword:
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            if "x-words" in schema and len(types) == 1:
                return f"{schema['x-words']} is expected here, and this is {described(value)}"
            return wrong_type(value, expected({**schema, "type": types}), [schema])
        case "enum":
            return not_one_of(value, ["null" if word is None else word for word in limit], schema.get("x-also", {}))
        case "const":
            return not_one_of(value, [shown(limit)], {})
        case "pattern":
            return f"{quoted(value)} is not {schema['x-words']}"
        case "format":
            return str(fault.error.cause)
        case "minLength":
            return "an empty text"
        case "minItems":
            return "an empty list"
        case "maxItems":
            return f"more than {schema['maxItems']} entries"
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


def _meant(hint: str) -> str:
    """The word in the quotes of a hint."""
    return hint.rpartition("'")[0].rpartition("'")[2]

"""What a value is, what was expected in its place, and how to write it, in words for an author. Knows no paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from hde.spec.problem import quoted, shown, with_hint

Schema = Mapping[str, Any]

KINDS: Final = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def wrong_type(value: object, expected: Iterable[str], branches: Sequence[Schema] = ()) -> str:
    """What was expected and what stands there; where one can tell, how to write it. `branches`: what would fit."""
    words = [word for word in expected if word != "nothing"]
    message = f"{either(words)} is expected here, and this is {described(value)}"
    if any("const" in branch.get("properties", ()) for branch in branches) and isinstance(value, bool | int | float):
        return f"{message}: write {{const: {shown(value)}}}"
    if "a text" in words and isinstance(value, bool | int | float):
        return f"{message}: put it in quotes"
    if words == ["a list"] and isinstance(value, str):
        return f"{message}: write [{value[:40]}]"
    if words == ["a list"] and isinstance(value, dict):
        return f"{message}: write [{{...}}], or '- ' before it"
    if words == ["a map"] and isinstance(value, list):
        return f"{message}: write each as NAME: VALUE, without '- ' and brackets"
    if words == ["true or false"] and isinstance(value, str) and value.lower() in _TRUTH:
        return f"{message}: write {_TRUTH[value.lower()]}"
    kinds = [kind for branch in branches for kind in _kinds(branch)]
    return f"{message}: write {{kind: {value}}}" if value in kinds else message


_TRUTH: Final = {
    **dict.fromkeys(("yes", "on", "y", "true"), "true"),
    **dict.fromkeys(("no", "off", "n", "false"), "false"),
}


def described(value: object) -> str:
    """`a list`, `the number 7`, `nothing`."""
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


def not_one_of(value: object, words: Sequence[str], other_names: Mapping[str, str]) -> str:
    """A value that is none of the words there are; `other_names` are what other tools call them."""
    if isinstance(value, dict | list):
        return f"{either(words)} is expected here, and this is {described(value)}"
    if value == "null" and value in words:
        return "'null' in quotes is a text; write null"
    if len(words) == 1:
        return with_hint(f"{quoted(value)} is not {words[0]}, the only one there is", shown(value), words)
    message = f"{quoted(value)} is not one of {', '.join(words)}"
    if meant := other_names.get(shown(value).lower()):
        return f"{message}. Did you mean {meant!r}?"
    return with_hint(message, shown(value), words)


def none_of(value: object, branches: Sequence[Schema]) -> str:
    """A text that may be a word or follow a pattern, and is neither."""
    words = [word for branch in branches for word in branch.get("enum", ())]
    patterns = [branch["x-words"] for branch in branches if "x-words" in branch]
    return with_hint(f"{quoted(value)} is not {either([*words, *patterns])}", shown(value), words)


def fits(value: object, branch: Schema) -> bool:
    """Whether a value is of a type that a part of a schema takes."""
    if "enum" in branch or "const" in branch:
        return isinstance(value, str)
    types = branch.get("type", list(KINDS))
    return any(_is(value, kind) for kind in ([types] if isinstance(types, str) else types))


def expected(branch: Schema) -> Iterator[str]:
    """The types that a part of a schema takes, in words."""
    if "enum" in branch:
        yield "a text"
    types = branch.get("type", ())
    for kind in [types] if isinstance(types, str) else types:
        yield branch.get("x-words", KINDS[kind]) if kind == "string" else KINDS[kind]


def either(words: Iterable[str]) -> str:
    """`a, b or c`."""
    return _joined(words, "or")


def both(words: Iterable[str]) -> str:
    """`a, b and c`."""
    return _joined(words, "and")


def _kinds(branch: Schema) -> Sequence[object]:
    kinds: Sequence[object] = branch.get("properties", {}).get("kind", {}).get("enum", ())
    return kinds


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


def _joined(words: Iterable[str], word: str) -> str:
    *most, last = words
    return f"{', '.join(most)} {word} {last}" if most else last

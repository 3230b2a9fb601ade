"""What is wrong with a JMESPath, and what its author meant: habits of other languages, functions there are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jmespath
from jmespath.exceptions import IncompleteExpressionError, ParseError
from jmespath.functions import Functions

from hde.mapping.expression import is_plain
from hde.spec.problem import LONGEST_QUOTE, quoted, with_hint

_FUNCTIONS: Final[Mapping[str, Any]] = Functions.FUNCTION_TABLE
_JSONPATH: Final = re.compile(r"\$(\.(?P<below>.+)|(?P<index>\[.+))\Z", re.DOTALL)
_IN_BRACKETS: Final = re.compile(r"\[\s*'([A-Za-z_][A-Za-z0-9_]*)'\s*\]")
_ZONE: Final = re.compile(r"[A-Z][A-Za-z_]+/[A-Z][A-Za-z_/]+\Z")
_DASHED_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_]*)+")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_WORDS: Final = {"and": "&&", "or": "||", "not": "!"}


def not_jmespath(text: str, cause: object) -> str:
    """Where JMESPath stopped to understand, and what was meant; its own messages take several lines."""
    if not text.strip():
        return "an empty path; take the key out, or write @ for the whole"
    message = f"{quoted(text)} is not JMESPath"
    if "{{" in text:
        inside = text.strip().removeprefix("{{").removesuffix("}}").strip()
        return f"{message}: templates are for what is sent; what is read is a path: {_short(inside)}"
    if jsonpath := _JSONPATH.match(text):
        return f"{message}, which has no $ for the whole: write {_short(_without_star(jsonpath))}"
    if "$" in text:
        return f"{message}: $ stands only at the start of a path"
    match cause:
        case RecursionError():
            return f"{quoted(text)} is nested too deeply"
        case IncompleteExpressionError() | ParseError(token_value=""):
            return f"{message}: its end is missing"
        case ParseError(token_value=token, lex_position=position):
            return (
                f"{message}: {_habit(text, token) or f'{_short(repr(token))} cannot stand at character {position + 1}'}"
            )
        case _:
            return message


def not_a_path(text: str) -> str:
    """What is wrong with a path that begins with $ and names nothing there."""
    if jsonpath := _JSONPATH.match(text):
        meant = _short(_without_star(jsonpath))
        return f"{quoted(text)} is not a path: a path starts at the record, without $: write {meant}"
    return f"{quoted(text)} is not a path: after $ comes a name, then a path below it ($sleep.start)"


def not_a_function(text: str) -> str:
    """What is wrong with the functions a JMESPath that compiles calls; empty where nothing is."""
    if is_plain(text):
        return ""
    for name, given in _calls(jmespath.compile(text).parsed):
        if name not in _FUNCTIONS:
            return with_hint(f"{_short(name)} is not a function of JMESPath", name, _FUNCTIONS)
        takes = _FUNCTIONS[name]["signature"]
        endless = any(argument.get("variadic") for argument in takes)
        if given < len(takes) or (given > len(takes) and not endless):
            least = "at least " if endless else ""
            return f"{name}() takes {least}{len(takes)} value{'s' if len(takes) != 1 else ''}, and is given {given}"
    return ""


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The name of each function called, and how many values it is given."""
    if node["type"] == "function_expression":
        yield node["value"], len(node["children"])
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _calls(child)


def _short(text: str) -> str:
    """What a message quotes, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 3] + "..."


def _without_star(jsonpath: re.Match[str]) -> str:
    """A JSONPath as JMESPath says it: `$.items[*]` of all items is the list itself."""
    return (jsonpath["below"] or jsonpath["index"]).removesuffix("[*]") or "@"


def _habit(text: str, token: object) -> str:
    """What to write for what other languages write."""
    if names := _IN_BRACKETS.search(text):
        dotted = _IN_BRACKETS.sub(r".\1", text).removeprefix(".")
        return f"a name stands after a dot, not in ['{_short(names[1])}']: write {_short(dotted)}"
    if not str(token).isascii():
        return "a name with letters beyond a-z stands in double quotes inside the path ('\"größe\"')"
    if token in _WORDS:
        return f"{token!r} is written {_WORDS[str(token)]}"
    if token == "=":
        return "equal is =="
    if isinstance(token, int | float) and re.search(rf"[=<>]\s*{re.escape(str(token))}\b", text):
        return f"a number stands in backticks: `{_short(str(token))}`"
    if _ZONE.match(text):
        return f"a fixed text stands in quotes of its own: \"'{_short(text)}'\""
    if dashed := _DASHED_NAME.search(_QUOTED.sub("", text)):
        right = text.replace(dashed[0], f'"{dashed[0]}"')
        return f"a name with - beside more than dots stands in double quotes, inside single ones: '{_short(right)}'"
    if token in ("+", "*", "/", "%", "-") and f" {token} " in text:
        return "it has no arithmetic: `unit` converts, `sum` adds, `exponent` scales by powers of ten"
    return ""

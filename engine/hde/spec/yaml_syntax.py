"""The YAML parser's complaints, and those of the file's encoding, in words for the author."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import yaml

from hde.spec.problem import Problem

DEEPEST: Final = 50
TOO_DEEP: Final = f"more than {DEEPEST} levels deep; that is the most"
_BARE_TEMPLATE: Final = re.compile(r"(^|: |- |[\[{,])\s*\{\{")
_TEMPLATE_HINT: Final = 'a value that begins with {{ stands in quotes: "{{ ... }}"'


def unreadable(file: Path, text: str, error: yaml.YAMLError) -> Problem:
    """What stopped the parser, at the line where it stopped."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        if glued := _glued(text, error):
            return Problem(str(file), *glued)
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        return Problem(str(file), line, column, "", _words(text, error, line))
    # the parser's own position counts bytes or characters; the first of what it cannot take is where it stopped
    position = max(0, text.find(chr(getattr(error, "character", 0))))
    before = text[:position]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    return Problem(str(file), line, column, "", f"a control character (U+{ord(text[position]):04X}); take it out")


def undecodable(file: Path, content: bytes, error: UnicodeDecodeError) -> Problem:
    before = content[: error.start]
    line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
    return Problem(str(file), line, column, "", "not UTF-8; save the file as UTF-8")


def _words(text: str, error: yaml.MarkedYAMLError, line: int) -> str:
    lines = text.split("\n")
    here = lines[line - 1] if line <= len(lines) else ""
    column = error.problem_mark.column if error.problem_mark else 0
    problem, context = error.problem or "", error.context or ""
    begin = f" that begins in line {error.context_mark.line + 1}" if error.context_mark else ""
    if "\t" in here[: column + 1] and not here[:column].strip():
        return "a tab; indent with spaces"
    if _bare_template(here):
        return _TEMPLATE_HINT
    if "mapping values are not allowed" in problem:
        if _is_deeper(lines, line):
            return "indentation: deeper than the line above, which has its value already"
        return "': ' inside a text without quotes: put the text in quotes"
    if "cannot start any token" in problem:
        return f"a text that begins with {here[column : column + 1]} stands in quotes"
    if "nesting depth" in problem:  # newer parsers stop at their own bound before ours is asked
        return TOO_DEEP
    if "quoted scalar" in context:
        return f"a quote{begin} is never closed, or holds what quotes cannot ({problem})"
    if "flow" in context:
        if path := _path_at(here, column):
            return f'in a map or list in brackets, a text that holds [ ] or {{ }} stands in quotes: "{path}"'
        return (
            f"the {'list' if 'sequence' in context else 'map'} in brackets{begin} is not closed, or a comma is missing"
        )
    if "block mapping" in context or "block collection" in context:
        return f"indentation: this line does not fit the block{begin}"
    if "could not find expected ':'" in problem:
        return f"a line without ':' (the one{begin})"
    return f"not YAML: {problem}" + (f", {context}{begin}" if context else "")


def _glued(text: str, error: yaml.MarkedYAMLError) -> tuple[int, int, str, str] | None:
    """A key without a space after its colon, which the parser notices a line too late."""
    mark = error.context_mark
    if mark is None or "could not find expected ':'" not in (error.problem or ""):
        return None
    key, colon, value = text.split("\n")[mark.line].strip().partition(":")
    if not colon or not value or value[0] == " ":
        return None
    return mark.line + 1, mark.column + 1, "", f"a space stands after the colon: {key}: {value[:40]}"


def _is_deeper(lines: list[str], line: int) -> bool:
    """Whether a line is indented deeper than the one above it."""
    above = next((one for one in reversed(lines[: line - 1]) if one.strip() and not one.strip().startswith("#")), "")
    here = lines[line - 1]
    return bool(above) and len(here) - len(here.lstrip(" ")) > len(above) - len(above.lstrip(" "))


def _path_at(line: str, column: int) -> str:
    """The text in a map in brackets in the middle of which a bracket opens, as in `{path: scores[0], unit: s}`."""
    before = re.search(r"[^\s,{\[]+\Z", line[:column])
    if before is None or line[column : column + 1] not in ("[", "{"):
        return ""
    closing = line.find("]" if line[column] == "[" else "}", column)
    after = re.match(r"[^\s,}\]]*", line[closing + 1 :]) if closing > 0 else None
    return before[0] + line[column : closing + 1] + after[0] if after else ""


def _bare_template(line: str) -> bool:
    unquoted = re.sub(r"\"(\\.|[^\"\\])*\"|'[^']*'", "", line.split(" #")[0])
    return _BARE_TEMPLATE.search(unquoted) is not None

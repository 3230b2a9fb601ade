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
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        return Problem(str(file), line, column, "", _words(text, error, line))
    position = getattr(error, "position", 0)
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
        return "': ' inside a text without quotes, or a line indented deeper than the one it belongs to"
    if "cannot start any token" in problem:
        return f"a text that begins with {here[column : column + 1]} stands in quotes"
    if "nesting depth" in problem:  # newer parsers stop at their own bound before ours is asked
        return TOO_DEEP
    if "quoted scalar" in context:
        return f"a quote{begin} is never closed, or holds what quotes cannot ({problem})"
    if "flow" in context:
        return (
            f"the {'list' if 'sequence' in context else 'map'} in brackets{begin} is not closed, or a comma is missing"
        )
    if "block mapping" in context or "block collection" in context:
        return f"indentation: this line does not fit the block{begin}"
    if "could not find expected ':'" in problem:
        return f"a line without ':' (the one{begin})"
    return f"not YAML: {problem}" + (f", {context}{begin}" if context else "")


def _bare_template(line: str) -> bool:
    unquoted = re.sub(r"\"(\\.|[^\"\\])*\"|'[^']*'", "", line.split(" #")[0])
    return _BARE_TEMPLATE.search(unquoted) is not None

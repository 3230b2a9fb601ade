"""A complaint about YAML: which file, line, column and key, what is wrong, and what was probably meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from hde.errors import WrongUse

LONGEST_QUOTE = 60
KeyPath = tuple[str | int, ...]
Level = Literal["error", "warning"]

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, order=True)
class Problem:
    """One complaint. `line` and `column` count from 1; `path` is the key's dotted path, empty for the whole file."""

    file: str
    line: int
    column: int
    path: str
    message: str
    level: Level = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        said = f"warning: {self.message}" if self.level == "warning" else self.message
        return where + (f"{self.path}: {said}" if self.path else said)


def counted(problems: Iterable[Problem]) -> str:
    """How many there are of each level: `8 errors, 1 warning`; empty where there are none."""
    levels = [problem.level for problem in problems]
    counts = [(levels.count(level), level) for level in ("error", "warning")]
    return ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for count, level in counts if count)


class Problems(WrongUse):
    """Everything that is wrong with some YAML, one complaint per line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """What to append to a complaint about `word`: `" Did you mean 'cursor'?"`, or nothing where nothing is near."""
    known = list(candidates)
    plain: Mapping[str, str] = {_plain(candidate): candidate for candidate in known}
    for cutoff in (0.85, 0.6):
        if near := get_close_matches(_plain(word[:200]), plain, n=1, cutoff=cutoff):
            return f" Did you mean {plain[near[0]]!r}?"
        # `start` is rather `start_time` than `state`
        if len(holding := [one for one in known if word.lower() in one.split("_")]) == 1:
            return f" Did you mean {holding[0]!r}?"
    return ""


def with_hint(message: str, word: str, candidates: Iterable[str]) -> str:
    """The message, and what was probably meant where something is near."""
    hint = did_you_mean(word, candidates)
    return f"{message}.{hint}" if hint else message


def quoted(value: object) -> str:
    """A value in quotes, cut short: a complaint stays one line."""
    text = repr(value if isinstance(value, str) else shown(value))
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 4] + "...'"


def shown(value: object) -> str:
    """A plain value as YAML spells it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def dotted(path: Sequence[str | int]) -> str:
    """`("http", "rate_limits", 0, "per")` as `http.rate_limits[0].per`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def snake(text: str) -> str:
    """`startTime` and `Start-Time` as `start_time`; empty where no letter or digit is left."""
    plain = unicodedata.normalize("NFKD", _HUMPS.sub("_", text).replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")

"""Numbers as they are printed, written anew as JSON writes them: `1,204.5` or `1.204,5` becomes `1204.5`."""

from __future__ import annotations

import re
from collections.abc import Callable

from hde.spec.report import Numbers


def plain_numbers(said: Numbers | None) -> Callable[[dict[str, str]], dict[str, str]]:
    """Rewrites the numbers in the declared fields of a row. Digits in groups that are not of three stay as they are."""
    if said is None:
        return lambda fields: fields
    point = re.escape(said.decimal)
    groups = rf"[0-9]{{1,3}}(?:{re.escape(said.thousands)}[0-9]{{3}})+|" if said.thousands else ""
    number = re.compile(rf"(?<![0-9.,])({groups}[0-9]+)(?:{point}([0-9]+))?(?![.,]?[0-9])")

    def plain(match: re.Match[str]) -> str:
        whole = match[1].replace(said.thousands, "") if said.thousands else match[1]
        return whole if match[2] is None else f"{whole}.{match[2]}"

    def written(fields: dict[str, str]) -> dict[str, str]:
        return {name: number.sub(plain, text) if name in said.in_ else text for name, text in fields.items()}

    return written

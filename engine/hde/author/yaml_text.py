"""Writes YAML that is read with pleasure: keys in the order given, short maps on one line, comments beside the keys.

What it writes, `hde.spec.yaml_file` reads back as the same value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hde.spec.problem import KeyPath
from hde.spec.yaml_scalar import ScalarError, scalar

WIDTH: Final = 118
MANY: Final = 6
"""A map of more entries than this gets a line for each."""

_WORD: Final = r"[A-Za-z0-9_./$@~()?=;-]|:(?=[A-Za-z0-9/])"
_PLAIN: Final = re.compile(rf"[A-Za-z_/$](?:{_WORD})*(?: (?:{_WORD})+)*\Z|[0-9]{{1,5}}[smhdw]\Z")
_OTHER_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off"})
"""What readers of older YAML take for true and false."""


@dataclass(frozen=True)
class Layout:
    """Patterns of paths, `*` standing for any name: what is never put on one line, and what has a blank line above."""

    open: tuple[KeyPath, ...] = ()
    apart: tuple[KeyPath, ...] = ()


def yaml_text(
    data: Mapping[str, object], notes: Mapping[KeyPath, str] | None = None, layout: Layout | None = None
) -> str:
    """`data` as the text of a YAML file; `notes` become comments at the keys of their paths."""
    return "\n".join(_Writer(notes or {}, layout or Layout()).map(data, (), "")) + "\n"


@dataclass(frozen=True)
class _Writer:
    notes: Mapping[KeyPath, str]
    layout: Layout

    def map(self, data: Mapping[str, object], path: KeyPath, indent: str) -> Iterator[str]:
        for index, (key, value) in enumerate(data.items()):
            here = (*path, key)
            if index and _is_any(here, self.layout.apart):
                yield ""
            yield from self.entry(f"{indent}{scalar_text(key)}:", value, here, indent)

    def list(self, items: Sequence[object], path: KeyPath, indent: str) -> Iterator[str]:
        for index, item in enumerate(items):
            here = (*path, index)
            if isinstance(item, Mapping) and item and not self.fits(f"{indent}-", item, here):
                first, *rest = self.map(item, here, f"{indent}  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield from self.entry(f"{indent}-", item, here, indent)

    def entry(self, start: str, value: object, path: KeyPath, indent: str) -> Iterator[str]:
        """A key, or the dash of an item, with its value and its comment."""
        if not isinstance(value, Mapping | list | tuple) or not value or self.fits(start, value, path):
            yield from self.line(f"{start} {flow_text(value)}", path, indent)
        else:
            yield from self.line(start, path, indent)
            below = f"{indent}  "
            yield from self.map(value, path, below) if isinstance(value, Mapping) else self.list(value, path, below)

    def line(self, text: str, path: KeyPath, indent: str) -> Iterator[str]:
        note = self.notes.get(path)
        if note is None:
            yield text
        elif len(text) + len(note) + 5 <= WIDTH:
            yield f"{text}   # {note}"
        else:
            yield f"{indent}# {note}"
            yield text

    def fits(self, start: str, value: Mapping[str, object] | Sequence[object], path: KeyPath) -> bool:
        """Whether a map or list may stand on the line of its key."""
        if _is_any(path, self.layout.open) or any(
            len(one) > len(path) and one[: len(path)] == path for one in self.notes
        ):
            return False
        if isinstance(value, Mapping) and len(value) > MANY:
            return False
        return len(start) + 1 + len(flow_text(value)) <= WIDTH


def flow_text(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar_text(key)}: {flow_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow_text, value))}]"
    return scalar_text(value)


def scalar_text(value: object) -> str:
    """A plain value; in quotes wherever this or another reader of YAML could take it for something else."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value, allow_nan=False)
    text = str(value)
    return text if _is_plain(text) else f'"{"".join(map(_escaped, text))}"'


def _is_plain(text: str) -> bool:
    if not _PLAIN.match(text) or text.lower() in _OTHER_WORDS:
        return False
    try:
        return scalar(text) == text
    except ScalarError:
        return False


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_any(path: KeyPath, patterns: tuple[KeyPath, ...]) -> bool:
    return any(
        len(one) == len(path) and all(want in ("*", have) for want, have in zip(one, path, strict=True))
        for one in patterns
    )

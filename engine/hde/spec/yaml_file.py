"""YAML as its author meant it, with the line and column of every key. What could be misread is refused, never guessed.

Knows nothing of connectors and mappings.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from hde.spec.problem import KeyPath, Level, Problem, Problems, dotted, quoted
from hde.spec.yaml_scalar import ScalarError, scalar
from hde.spec.yaml_syntax import DEEPEST, TOO_DEEP, undecodable, unreadable

Position = tuple[int, int]
LARGEST_FILE: Final = 1_000_000
MOST_VALUES: Final = 50_000
LONGEST_KEY: Final = 200
MOST_PROBLEMS: Final = 100
"""What is said of a file stays readable, and reading it takes no longer for a file that is nothing but mistakes."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_KEY: Final = object()


@dataclass(frozen=True)
class YamlFile:
    """A file as read: `data` of dicts, lists, texts, numbers, booleans and None; keys are always text."""

    file: Path
    data: object
    positions: Mapping[KeyPath, Position]
    """Line and column, from 1, of each key (in a map) or item (in a list)."""
    values: Mapping[KeyPath, Position] = field(default_factory=dict)
    """The same for each value."""
    elsewhere: Mapping[KeyPath, Path] = field(default_factory=dict)
    """Another file, for what was not written in this one."""

    def at(self, path: KeyPath, *, value: bool = False) -> Position:
        """Line and column of a key, of its value with `value`; of the nearest ancestor where it is not in the file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.positions:
                return self.values[path[:end]] if value and end == len(path) else self.positions[path[:end]]
        return self.values.get((), (1, 1)) if value or not path else (1, 1)

    def problem(self, path: KeyPath, message: str, *, value: bool = False, level: Level = "error") -> Problem:
        """A complaint about the key at `path`, or about its value, in the file where that was written."""
        line, column = self.at(path, value=value)
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self.positions), ())
        return Problem(str(self.elsewhere.get(known, self.file)), line, column, dotted(path), message, level)


def parse_yaml(file: Path) -> tuple[YamlFile | None, list[Problem]]:
    """Read one file as far as that goes: what cannot be read is a problem, the rest is still there to be checked."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        return None, [Problem(str(file), 1, 1, "", f"cannot be read: {error.strerror or error}")]
    if len(content) > LARGEST_FILE:
        return None, [Problem(str(file), 1, 1, "", f"more than {LARGEST_FILE // 1_000_000} MB; that is the most")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [undecodable(file, content, error)]
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        return None, builder.problems or [unreadable(file, text, error)]
    except Problems as stop:
        return None, [*builder.problems, *stop.problems]
    if not builder.documents:
        return None, [Problem(str(file), 1, 1, "", "the file is empty")]
    return YamlFile(file, builder.root, builder.positions, builder.values), builder.problems


@dataclass
class _Frame:
    """A map or list being read."""

    path: KeyPath
    into: dict[str, object] | list[object]
    key: object = _NO_KEY
    key_position: Position = (1, 1)


class _Builder:
    """Builds the value from the parser's events: no recursion, so no depth of nesting can hurt."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.root: object = None
        self.documents = 0
        self.positions: dict[KeyPath, Position] = {}
        self.values: dict[KeyPath, Position] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []

    def take(self, event: yaml.Event) -> None:
        """Take the next event; Problems where nothing after it can be read."""
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise Problems([self._problem(event, (), "a second document; one file holds one: take out '---'")])
            case yaml.ScalarEvent():
                self._refuse_decoration(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_decoration(event)
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()
            case yaml.AliasEvent():
                message = (
                    f"{quoted(f'*{event.anchor}')}: aliases are not read; write it out, or use `shared` and `like`"
                )
                raise Problems([self._problem(event, self._here(), message)])
        if len(self.problems) > MOST_PROBLEMS:
            raise Problems([self._problem(event, (), f"more than {MOST_PROBLEMS} mistakes; the rest is not read")])
        if len(self.values) > MOST_VALUES:
            raise Problems([self._problem(event, (), f"more than {MOST_VALUES:,} values; that is the most")])

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame and isinstance(frame.into, dict) and frame.key is _NO_KEY:
            self._key(frame, event)
            return
        value: object = event.value
        if not event.style:
            try:
                value = scalar(event.value)
            except ScalarError as error:
                self.problems.append(self._problem(event, self._here(), str(error)))
        self._put(event, value)

    def _key(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        """Keys are text as written: `no`, `200` and `8867-4` are what they look like."""
        if len(event.value) > LONGEST_KEY:
            message = f"a key of {len(event.value)} characters; {LONGEST_KEY} are the most"
            raise Problems([self._problem(event, frame.path, message)])
        frame.key, frame.key_position = event.value, _position(event)
        path = (*frame.path, event.value)
        if event.value == "<<" and not event.style:
            self.problems.append(self._problem(event, path, "merge keys are not read; use `shared` and `like`"))
        elif not event.value or not event.value.isprintable():
            self.problems.append(self._problem(event, frame.path, _unprintable(event.value)))
        elif event.value in frame.into:
            first = self.positions[path][0]
            self.problems.append(
                self._problem(event, path, f"{quoted(event.value)} is here twice, first in line {first}")
            )

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame and isinstance(frame.into, dict) and frame.key is _NO_KEY:
            message = 'a map or list is no key; a value that begins with {{ stands in quotes: "{{ ... }}"'
            raise Problems([self._problem(event, frame.path, message)])
        if len(self._stack) >= DEEPEST:
            raise Problems([self._problem(event, (), TOO_DEEP)])
        value: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._put(event, value)
        self._stack.append(_Frame(path, value))

    def _put(self, event: yaml.NodeEvent, value: object) -> KeyPath:
        path, position = self._here(), _position(event)
        if not self._stack:
            self.root = value
            self.values[()] = position
            return ()
        frame = self._stack[-1]
        self.values[path] = position
        if isinstance(frame.into, dict):
            frame.into[str(frame.key)] = value
            self.positions[path] = frame.key_position
            frame.key = _NO_KEY
        else:
            frame.into.append(value)
            self.positions[path] = position
        return path

    def _here(self) -> KeyPath:
        """The path of the value that comes next."""
        if not self._stack:
            return ()
        frame = self._stack[-1]
        if isinstance(frame.into, list):
            return (*frame.path, len(frame.into))
        return frame.path if frame.key is _NO_KEY else (*frame.path, str(frame.key))

    def _refuse_decoration(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        for message in _decorations(event):
            self.problems.append(self._problem(event, self._here(), message))

    def _problem(self, event: yaml.Event, path: KeyPath, message: str) -> Problem:
        return Problem(str(self.file), *_position(event), dotted(path), message)


def _unprintable(key: str) -> str:
    """What is wrong with a key nobody could read."""
    odd = next((character for character in key if not character.isprintable()), "\n")
    if odd == "\n":
        return "a key without a name, or with a line break in it"
    name = unicodedata.name(odd, "a control character").lower()
    return f"{name} (U+{ord(odd):04X}) before or in a key: put spaces in its place, or take it out"


def _decorations(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> Iterator[str]:
    if event.anchor is not None:
        yield f"{quoted(f'&{event.anchor}')}: anchors are not read; write it out, or use `shared` and `like`"
    if event.tag is not None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        yield f"{quoted(tag)}: tags are not read; put a text that begins with ! in quotes"


def _position(event: yaml.Event) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)

"""From the text of one record to a raw row: columns read and checked, payload made storable. Never raises for data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from hde.issues import Issue, issue_about
from hde.mapping.expression import FAILURES, Expression, compile, is_plain
from hde.rows import RawRow, RawTable, Row, UnreadRow
from hde.source.exact import Exact, Literal, decode_exactly, exact_text, literal
from hde.source.fields import fields_decoder
from hde.source.reports.issues import report_issues
from hde.source.storable import REPLACEMENT, is_too_deep, storable
from hde.source.values import ANOTHER_ACCOUNT, FITS, KEY_FITS, Fit, Misfit, from_text, of_account
from hde.source.written_times import timed
from hde.spec.connector import HASH, Connector, RawColumn, Resource

LONGEST_KEY = 2000
"""Bytes; Postgres indexes up to 2,704."""

SHORT_KEY = 500
"""Characters; whatever they are, it fits into an index."""
LONG = 16_000
"""Bytes; a number whose digits alone are too many for jsonb does not fit into less."""

_VAST_EXPONENT = re.compile(rb"[0-9][eE][+-]?[0-9]{4}")
_EMPTY: dict[str, object] = {}
_DOCUMENT, _CONSTANTS, _COMPUTED = range(3)


def raw_table(connector: Connector, resource: Resource) -> RawTable:
    """The raw table of a resource, as the store makes it."""
    return RawTable(
        schema=connector.schema,
        name=resource.name,
        columns=tuple((column.name, column.type) for column in resource.columns),
        key=resource.key,
        paths=tuple(f"{column.path} ({column.time})" if column.time else column.path for column in resource.columns),
        observe=resource.observe,
        volatile=tuple(tuple(path.split(".")) for path in resource.volatile),
    )


class RowReader:
    """Reads records of one resource. `scope` holds what columns may name with `$`: account, window, each."""

    def __init__(self, resource: Resource, scope: Mapping[str, object]) -> None:
        self._columns = resource.columns
        self._key = tuple(_position(resource, name) for name in resource.key)
        self._key_of = _getter(self._key)
        self._hash_at = next((at for at, column in enumerate(self._columns) if column.path == HASH), None)
        self._volatile = tuple(path.split(".") for path in resource.volatile)
        self._objects: list[tuple[int, str]] = []
        self._constants: dict[str, object] = {}
        self._computed: list[tuple[str, Expression]] = []
        places = {"": _DOCUMENT}
        found = [self._place_and_name(column, places, scope) for column in self._columns]
        self._runs = [
            (place, _getter(names), names)
            for place, run in groupby(found, key=itemgetter(0))
            if (names := tuple(name for _, name in run))
        ]
        account = _account_id(scope)
        self._fits = tuple(_fit(column, resource, account) for column in self._columns)
        self._told = report_issues if resource.format.kind == "pdf" else None
        self._names_account = account is not None and any(column.names for column in self._columns)
        # Expressions compare and add numbers; plain columns only pass their text on, at a third of the price.
        hook: Callable[[str], object] = Exact if self._computed else literal
        self._decode: Callable[[bytes], object] = msgspec.json.Decoder(float_hook=hook).decode
        self._key_in = self._fields_of(self._key)
        in_record = [at for at, (place, _) in enumerate(found) if place != _CONSTANTS]
        looked_at = self._hash_at is not None or self._told is not None
        self._values_in = None if looked_at else self._fields_of(in_record)
        self._beside = [(at, name) for at, (place, name) in enumerate(found) if place == _CONSTANTS]

    def identify(self, text: bytes) -> Row | list[Issue]:
        """As `read`, but no further than the key where nothing about the record is odd so far."""
        if self._key_in is None or (b"\\" in text and b"\\u" in text):
            return self.read(text)
        try:
            found = self._key_in(text)
        except (ValueError, RecursionError):
            return self.read(text)
        key = tuple([value for value in found if value is not None])
        if len(key) < len(found) or sum(map(len, key)) > SHORT_KEY:
            return self.read(text)
        return UnreadRow(key, sha256(text).digest()[:16], text, self)

    def values(self, text: bytes) -> tuple[str | None, ...] | None:
        """The columns' values of an identified record; None where it must be looked at closely."""
        if self._values_in is None or is_too_deep(text):
            return None
        try:
            values = [*self._values_in(text)]
            for at, name in self._beside:
                value = self._constants[name]
                values.insert(at, None if value is None else self._fits[at](value))
        except ValueError:
            return None
        return tuple(values)

    def read(self, text: bytes) -> RawRow | list[Issue]:
        """The row of a record; issues alone where it has no readable key and cannot be stored."""
        if is_too_deep(text):
            return [Issue("", "nested deeper than 200 levels", json_type="object")]
        payload = text
        issues: tuple[Issue, ...] = ()
        try:
            if self._is_suspicious(text):
                payload, issues = storable(text)
            document = self._decode(payload)
        except ValueError:
            payload, issues = storable(text)
            try:
                document = decode_exactly(payload)
            except ValueError:
                return [Issue("", "not JSON", json_type="text", length=len(text))]
        if type(document) is not dict and type(document) is not list:
            return [issue_about(document, "", "not an object")]
        values, misfits = self._values(document)
        if misfits and self._names_account and (another := [one for one in misfits if one.rule == ANOTHER_ACCOUNT]):
            return another
        if self._hash_at is not None:
            hashed = content_hash(document, self._volatile)
            values = (*values[: self._hash_at], hashed, *values[self._hash_at + 1 :])
        key = self._key_of(values)
        if issues or None in key or sum(map(len, key)) > SHORT_KEY:
            problems = self._key_problems(key, bool(issues), misfits)
            if problems:
                return problems
        received = text if issues else None
        told = self._told(document) if self._told else ()
        return RawRow(key, values, payload, sha256(text).digest()[:16], received, issues + misfits + told)

    def _is_suspicious(self, text: bytes) -> bool:
        """Cheap looks for what decodes well and yet is nothing for jsonb; `literal` refuses vast numbers by itself."""
        if b"\\" in text and b"\\u0000" in text:
            return True
        return len(text) > LONG or (bool(self._computed) and _VAST_EXPONENT.search(text) is not None)

    def _values(self, document: object) -> tuple[tuple[str | None, ...], tuple[Issue, ...]]:
        misfits: tuple[Issue, ...] = ()
        computed: dict[str, object] = {}
        if self._computed:
            computed, misfits = self._compute(document)
        places = [document if type(document) is dict else _EMPTY, self._constants, computed]
        for place, name in self._objects:
            inner = places[place].get(name)
            places.append(inner if type(inner) is dict else _EMPTY)
        raw: tuple[object, ...] = ()
        for place, get, names in self._runs:
            try:
                raw += get(places[place])
            except KeyError:
                raw += tuple([places[place].get(name) for name in names])
        try:
            values = [None if value is None else fit(value) for value, fit in zip(raw, self._fits, strict=True)]
        except Misfit:
            return self._one_by_one(raw, misfits)
        return tuple(values), misfits

    def _one_by_one(
        self, raw: tuple[object, ...], misfits: tuple[Issue, ...]
    ) -> tuple[tuple[str | None, ...], tuple[Issue, ...]]:
        values: list[str | None] = []
        found: list[Issue] = []
        for column, value, fit in zip(self._columns, raw, self._fits, strict=True):
            try:
                values.append(None if value is None else fit(value))
            except Misfit as misfit:
                values.append(None)
                value = Exact(value) if isinstance(value, Literal) else value
                rule = misfit.rule if misfit.rule == ANOTHER_ACCOUNT else f"{column.type}: {misfit.rule}"
                found.append(issue_about(value, column.path, rule))
        return tuple(values), misfits + tuple(found)

    def _compute(self, document: object) -> tuple[dict[str, object], tuple[Issue, ...]]:
        computed: dict[str, object] = {}
        failed: list[Issue] = []
        for path, expression in self._computed:
            try:
                computed[path] = expression(document)
            except FAILURES:
                failed.append(Issue(path, "expression fails"))
        return computed, tuple(failed)

    def _key_problems(self, key: tuple[str | None, ...], was_changed: bool, misfits: tuple[Issue, ...]) -> list[Issue]:
        """Why a record cannot be told apart from others; empty where it can."""
        problems: list[Issue] = []
        for position, value in zip(self._key, key, strict=True):
            path = self._columns[position].path
            if value is None:
                known = [issue for issue in misfits if issue.path == path]
                problems += known or [Issue(path, "key missing", json_type="null")]
            elif was_changed and REPLACEMENT in value:
                problems.append(issue_about(value, path, "key holds what cannot be stored"))
            elif len(value.encode()) > LONGEST_KEY // len(key):
                problems.append(issue_about(value, path, "key too long"))
        return problems

    def _place_and_name(
        self, column: RawColumn, places: dict[str, int], scope: Mapping[str, object]
    ) -> tuple[int, str]:
        """Which object holds a column's value, and under which name."""
        if column.path == HASH:
            self._constants[HASH] = None  # of each record, once it is read
            return _CONSTANTS, HASH
        if column.path.startswith("$"):
            self._constants[column.path] = compile(column.path[1:])(scope)
            return _CONSTANTS, column.path
        if is_plain(column.path):
            parent, _, name = column.path.rpartition(".")
            return self._place(parent, places), name
        self._computed.append((column.path, compile(column.path)))
        return _COMPUTED, column.path

    def _fields_of(self, positions: Sequence[int]) -> Callable[[bytes], list[str | None]] | None:
        """Reads these columns and nothing else; ValueError where one does not fit. None where that takes more."""
        columns = [self._columns[at] for at in positions]
        fields = fields_decoder([one.path for one in columns], literal) if all(map(_is_in_record, columns)) else None
        if fields is None:
            return None
        decode, fits = fields, [self._fits[at] for at in positions]
        if len(fits) == 1:
            (fit_one,) = fits

            def read_one(text: bytes) -> list[str | None]:
                (value,) = decode(text)
                return [None if value is None else fit_one(value)]

            return read_one

        def read(text: bytes) -> list[str | None]:
            return [None if value is None else fit(value) for value, fit in zip(decode(text), fits, strict=True)]

        return read

    def _place(self, path: str, places: dict[str, int]) -> int:
        if path not in places:
            parent, _, name = path.rpartition(".")
            self._objects.append((self._place(parent, places), name))
            places[path] = len(self._objects) + _COMPUTED
        return places[path]


def _fit(column: RawColumn, resource: Resource, account: str | None) -> Fit:
    fit = (KEY_FITS if column.name in resource.key else FITS)[column.type]
    if column.time:
        return timed(column.time, fit)
    fit = from_text(column.type, fit) if resource.format.is_all_text else fit
    return of_account(account, fit) if column.names and account is not None else fit


def _account_id(scope: Mapping[str, object]) -> str | None:
    account = scope.get("account")
    return str(account["id"]) if isinstance(account, Mapping) and "id" in account else None


def _is_in_record(column: RawColumn) -> bool:
    return column.path != HASH and is_plain(column.path)


def element_columns(resource: Resource, each: object) -> dict[str, str] | None:
    """The key columns that read `$each`, with the text they hold for this element; empty where none does.

    None: a value does not fit its column, so that no stored record can be of this element.
    """
    found: dict[str, str] = {}
    for name in resource.key:
        column = resource.columns[_position(resource, name)]
        if column.path == "$each" or column.path.startswith("$each."):
            try:
                found[name] = KEY_FITS[column.type](compile(column.path[1:])({"each": each}))
            except Misfit:
                return None
    return found


def content_hash(document: object, volatile: Sequence[Sequence[str]] = ()) -> str:
    """Of what a record says, however it is spelled: order of members and white space set aside, `volatile` left out."""
    return sha256(exact_text(_ordered(document, [tuple(path) for path in volatile])).encode()).hexdigest()[:32]


def _ordered(value: object, without: list[tuple[str, ...]]) -> object:
    if isinstance(value, dict):
        kept = [name for name in sorted(value) if (name,) not in without]
        return {name: _ordered(value[name], [path[1:] for path in without if path[0] == name]) for name in kept}
    return [_ordered(item, []) for item in value] if isinstance(value, list) else value


def _position(resource: Resource, name: str) -> int:
    return [column.name for column in resource.columns].index(name)


def _getter(names: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Always a tuple, also of one: KeyError or IndexError where something is not there."""
    if len(names) == 1:
        [name] = names
        return lambda found: (found[name],)
    return itemgetter(*names) if names else lambda found: ()

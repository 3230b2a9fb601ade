"""Recorded JSON with everything replaced that says who somebody is, consistently, so that it still joins and maps.

Text is replaced unless it is known to be a word of the source; numbers that measure are kept unless asked otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Any
from zoneinfo import available_timezones

from hde.source.exact import Exact
from hde.steps.recording.disguise import UUID, identifier, whole_number, word

WEEK = timedelta(weeks=1)
EARLIEST_WEEK, LATEST_WEEK = 53, 313
"""How many weeks times are moved back: more than a year, less than six."""

_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_IDS = frozenset({
    "id", "ids", "uuid", "guid", "identifier", "oid", "uid", "pid", "mrn", "serial", "imei", "mac", "ssn", "iban",
    "account", "patient", "reference", "token", "cursor",
})  # fmt: skip
_PERSONAL = frozenset({
    "name", "names", "first", "last", "given", "family", "surname", "nick", "nickname", "user", "username", "login",
    "email", "mail", "phone", "mobile", "fax", "tel", "address", "street", "line", "city", "town", "village",
    "district", "zip", "postal", "postcode", "country", "region", "photo", "avatar", "picture", "image", "ip",
    "insurance", "passport", "note", "notes", "comment", "comments", "description", "text", "title", "display",
    "message", "signature",
})  # fmt: skip
_PERSONAL_NUMBERS = frozenset({"phone", "mobile", "fax", "tel", "zip", "postal", "postcode", "ip", "passport"})
_PERSONAL_ABOVE = frozenset({"address", "addresses", "contact", "contacts", "telecom", "guardian"})
_BIRTH = frozenset({"birth", "birthday", "birthdate", "dob", "born", "deceased", "death"})
_PLACES = frozenset({"lat", "latitude", "lon", "lng", "long", "longitude"})
_CODES = frozenset({
    "system", "code", "unit", "units", "type", "status", "state", "category", "kind", "class", "format", "method",
    "sport", "scale",
})  # fmt: skip
_CODE = re.compile(r"[0-9A-Za-z%/.\[\]{}^*_-]{1,16}\Z")
_CATEGORY = re.compile(r"[A-Za-z0-9_. -]{1,40}\Z")
_OF_PROGRAM = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
"""`PENDING_SCORE`: what no person is called."""
_SYSTEM = re.compile(r"(?:https?://|urn:)[\w.:/#-]+\Z")
_KEPT = re.compile(
    r"|[+-]\d{2}:?\d{2}|Z|true|false|null|[a-z]{2}[-_][A-Z]{2}|-?P(?=[\dT])[\dYMWDTHS.,]+"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|-?\d{1,6}(?:\.\d{1,10})?\s?(?:ms|s|min|h|d|%)?",
    re.ASCII,
)
_DATE = r"(?P<date>\d{4}-\d{2}-\d{2})"
_ISO = re.compile(_DATE + r"(?P<rest>(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?)\Z", re.ASCII)
_WRITTEN = (
    (re.compile(r"\d{2}\.\d{2}\.\d{4}"), "%d.%m.%Y"), (re.compile(r"\d{4}/\d{2}/\d{2}"), "%Y/%m/%d"),
    (re.compile(r"\d{2}/\d{2}/\d{4}"), "%m/%d/%Y"), (re.compile(r"\d{2}/\d{2}/\d{4}"), "%d/%m/%Y"),
)  # fmt: skip
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+\Z")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+\Z", re.IGNORECASE)
_PARTS = re.compile(r"[^\s/?&=#:,;|]+")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/\S+\Z")
_EPOCH_S, _EPOCH_MS = (1_000_000_000, 2_500_000_000), (1_000_000_000_000, 2_500_000_000_000)


@dataclass
class Pseudonyms:
    """One way of replacing, as long as the key is the same. `treated` says per path what was done with it."""

    key: bytes = field(repr=False)
    ids: Collection[str] = ()
    """Paths that identify a record or an account, whatever they are called."""
    categories: Collection[str] = ()
    """Paths whose texts are words of the source: a mapping looks them up."""
    words: Collection[str] = ()
    """Words of the source wherever they stand: keys of lookups, parts of the connector's paths."""
    keep: Collection[str] = ()
    """Paths whose values are kept."""
    origin: str = ""
    """Of the connector: links to it stay links to it."""
    told_origin: str = "https://example.com"
    """What the connector's origin is called afterwards."""
    scramble_numbers: bool = False
    known: set[object] = field(default_factory=set, repr=False)
    """Values met as identifiers: replaced as such wherever they stand."""
    treated: dict[str, set[str]] = field(default_factory=dict)
    kept_words: dict[str, set[str]] = field(default_factory=dict)

    @property
    def shift(self) -> timedelta:
        """Whole weeks, so that order, duration and weekday stay; which, only the key knows."""
        drawn = int.from_bytes(blake2b(b"weeks", key=self.key).digest()[:8], "big")
        return -WEEK * (EARLIEST_WEEK + drawn % (LATEST_WEEK - EARLIEST_WEEK))

    def learn(self, document: object) -> None:
        """Take note of the identifiers in a document, before any is replaced."""
        for path, value in _leaves(document, ""):
            if self._is_id(path, value):
                parts = _PARTS.findall(value) if isinstance(value, str) and "/" in value else []
                self.known.update(one for one in (value, *parts) if len(str(one)) >= 4 and _has_digit(one))

    def replaced(self, document: Any, path: str = "") -> Any:
        """The document with the same shape and types in the same order, and other values."""
        if isinstance(document, dict):
            below = ((name, f"{path}.{name}" if path else name, value) for name, value in document.items())
            return {self._member(name): self.replaced(value, inner) for name, inner, value in below}
        if isinstance(document, list):
            return [self.replaced(item, path) for item in document]
        if document is None or isinstance(document, bool):
            return document
        how, value = self._text(path, document) if isinstance(document, str) else self._number(path, document)
        self.treated.setdefault(path, set()).add(how)
        if how == "kept":
            self.kept_words.setdefault(path, set()).add(str(value))
        return value

    def header(self, value: str) -> str:
        """A header that paging reads: a cursor, a number, or links in angle brackets."""
        if "<" in value:
            return re.sub(r"<([^<>]*)>", lambda match: f"<{self._link(match[1])}>", value)
        return value if value.isdecimal() else self._link(value) if _URL.match(value) else identifier(value, self.key)

    def moved(self, at: datetime) -> datetime:
        """An instant of the recording as it is told."""
        return at + self.shift

    def _member(self, name: str) -> str:
        """Names of members are the source's words, unless records are listed by identifier or day."""
        if name in self.known or UUID.fullmatch(name) or _EMAIL.match(name) or re.fullmatch(r"\d{4,}", name):
            return self._words(name) if _EMAIL.match(name) else identifier(name, self.key)
        return self._time(name, self.shift) or name

    def _text(self, path: str, text: str) -> tuple[str, str]:
        names = _names(path)
        above = _above(path)
        personal = bool(names & _PERSONAL) or bool(above & _PERSONAL_ABOVE)
        if path in self.keep or (path in self.categories and (text in self.words or _CATEGORY.match(text))):
            return "kept", text
        if (names | above) & _BIRTH:
            moved = self._time(text, _to_another_age(self.key, text))
            return ("date of birth", moved) if moved else ("text", self._words(text))
        if (moved := self._time(text, self.shift)) is not None:
            return "time", moved
        if _URL.match(text) and not (names & _CODES and _SYSTEM.match(text)):
            return "link", self._link(text)
        if text in self.known or self._is_id(path, text):
            return "identifier", self._identifiers(text)
        if not personal and self._is_word(text, names):
            return "kept", text
        return "text", self._words(text)

    def _is_word(self, text: str, names: set[str]) -> bool:
        if text in self.words or _KEPT.fullmatch(text) or _OF_PROGRAM.match(text) or text in _zones():
            return True
        return bool(names & _CODES) and (_CODE.match(text) or _SYSTEM.match(text)) is not None

    def _number(self, path: str, number: int | float) -> tuple[str, int | float]:
        names = _names(path)
        if path in self.keep or path in self.categories:
            return "kept", number
        if names & _PLACES:
            return "place", self._varied(number, path, 0.5)
        if (names | _above(path)) & _BIRTH or names == {"age"}:
            return "age or birth", self._born(number)
        is_id = number in self.known or self._is_id(path, number) or bool(names & _PERSONAL_NUMBERS)
        if isinstance(number, int) and is_id:
            return "identifier", whole_number(number, self.key)
        if (unit := _epoch_unit(number)) is not None:
            moved = number + round(self.shift.total_seconds()) * unit
            return "time", moved if isinstance(number, int) else Exact(f"{moved:.{_decimals(number)}f}")
        if isinstance(number, int) and abs(number) >= 10_000_000_000:
            return "identifier", whole_number(number, self.key)
        if self.scramble_numbers and number:
            return "number scrambled", self._varied(number, path, 0.1)
        return "number kept", number

    def _is_id(self, path: str, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, str | int) or path in self.categories:
            return False
        if path in self.ids or (isinstance(value, str) and UUID.fullmatch(value) is not None):
            return True
        last = [name.lower() for name in _NAME.findall(path.rpartition(".")[2])]
        return bool(last) and last[-1] in _IDS

    def _identifiers(self, text: str) -> str:
        """An identifier; a reference (`Patient/123`) keeps its kind, so that both parts still lead somewhere."""
        if _EMAIL.match(text) or re.search(r"\s", text):
            return self._words(text)
        if _REFERENCE.match(text):
            kind, _, rest = text.partition("/")
            return f"{kind}/{_PARTS.sub(lambda match: identifier(match[0], self.key), rest)}"
        return identifier(text, self.key)

    def _link(self, text: str) -> str:
        """A link leads to the source still where it did, and nowhere else; of its words only the connector's stay."""
        head = re.match(r"[^:]+://[^/?#]*", text)
        start = head[0] if head else ""
        rest = text.removeprefix(start)
        names = set(re.findall(r"[?&]([^=&#]+)=", rest))

        def part(match: re.Match[str]) -> str:
            is_known = match[0] in self.words or match[0] in names
            return match[0] if is_known else identifier(match[0], self.key)

        return (self.told_origin if start == self.origin else "https://example.com") + _PARTS.sub(part, rest)

    def _words(self, text: str) -> str:
        if _EMAIL.match(text):
            return f"{word(text.partition('@')[0], self.key)}@example.com"
        return re.sub(r"[^\W_]+", lambda match: word(match[0], self.key), text)

    def _time(self, text: str, shift: timedelta) -> str | None:
        if match := _ISO.match(text):
            moved = _moved(match["date"], "%Y-%m-%d", shift)
            return None if moved is None else moved + match["rest"]
        for pattern, form in _WRITTEN:
            if (found := pattern.match(text)) and (moved := _moved(found[0], form, shift)):
                return moved + text[found.end() :]
        if text.isascii() and text.isdecimal() and (unit := _epoch_unit(int(text))) is not None:
            return str(int(text) + round(shift.total_seconds()) * unit)
        return None

    def _born(self, number: int | float) -> int | float:
        """A year within twelve of it, or another age, month or day."""
        drawn = 1 + int.from_bytes(blake2b(repr(number).encode(), key=self.key).digest()[:2], "big") % 12
        if number > 1000:
            return type(number)(number - drawn)
        return type(number)(drawn if drawn != number else drawn % 12 + 1) if number <= 31 else number + drawn

    def _varied(self, number: int | float, path: str, by: float) -> int | float:
        """Another number of the same kind and as many decimals, at most so much away, never the same."""
        drawn = int.from_bytes(blake2b(f"{path} {number!r}".encode(), key=self.key).digest()[:4], "big") / 2**32
        factor = 1 + by * (0.1 + 0.9 * drawn) * (1 if drawn * 1000 % 1 < 0.5 else -1)
        if isinstance(number, int):
            made = round(number * factor)
            return made if made != number else number + 1
        places = _decimals(number)
        made_text = f"{number * factor:.{places}f}"
        return Exact(made_text if float(made_text) != number else f"{number + 10**-places:.{places}f}")


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value


def _names(path: str) -> set[str]:
    """The words of the last name in a path: `userFirstName` has user, first and name."""
    return {name.lower() for name in _NAME.findall(path.rpartition(".")[2])}


def _above(path: str) -> set[str]:
    """The words of all names above the last."""
    return {name.lower() for name in _NAME.findall(path.rpartition(".")[0])}


def _has_digit(value: object) -> bool:
    return any(char.isdigit() for char in str(value))


def _epoch_unit(number: int | float) -> int | None:
    """How many units a second has, where a number looks like the time since 1970 and lies between 2001 and 2049."""
    if _EPOCH_S[0] <= number < _EPOCH_S[1]:
        return 1
    return 1000 if _EPOCH_MS[0] <= number < _EPOCH_MS[1] else None


def _moved(text: str, form: str, shift: timedelta) -> str | None:
    try:
        return (datetime.strptime(text, form).replace(tzinfo=UTC) + shift).strftime(form)
    except (ValueError, OverflowError):
        return None


def _to_another_age(key: bytes, text: str) -> timedelta:
    """A date of birth is no measurement: it goes to another day within ten years."""
    drawn = int.from_bytes(blake2b(text.encode(), key=key).digest()[:4], "big")
    return timedelta(days=366 + drawn % 3000) * (1 if drawn & 1 << 20 else -1)


def _decimals(number: float) -> int:
    text = number.literal if isinstance(number, Exact) else repr(number)
    return 0 if "e" in text.lower() else len(text.partition(".")[2])


@cache
def _zones() -> Collection[str]:
    return available_timezones()

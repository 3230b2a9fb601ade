"""A vendor's list of the places that run its software: asked for without credentials, read, and searched by words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from hde.errors import Refused, Unreachable, Unreadable, WrongUse
from hde.source.address import origin, shown
from hde.source.exchange import exchange
from hde.source.outgoing import Outgoing
from hde.source.records import Body
from hde.spec.sign_in import Tenants

LARGEST = 64 * 1024 * 1024
"""Bytes of a directory."""
MOST_NEAR = 5
_WORDS = re.compile(r"\w+")


class Tenant(NamedTuple):
    """One place, and the settings that lead to it."""

    name: str
    settings: Mapping[str, str]


def asked(connector: str, url: str) -> bytes:
    """The directory as its vendor gives it. Raises Unreachable, Refused, Unreadable."""
    where = f"{connector}: the directory on {shown(url)}"
    origin(url)
    reply = exchange(Outgoing("GET", url, {"Accept": "application/json, */*;q=0.5"}), where, largest=LARGEST)
    if reply.status == 429 or reply.status >= 500:
        raise Unreachable(f"{where} is away (answers {reply.status})")
    if reply.status != 200:
        raise Refused(f"{where} is answered with {reply.status}: check tenants.url", reply.status)
    return reply.body


def tenants_in(body: bytes, spec: Tenants, connector: str) -> list[Tenant]:
    """The places in it, each once, by name; Unreadable where there is none. One without a name or a setting is left
    out."""
    found = Body(body).value(spec.records) if spec.records else Body(body).whole()
    places = [_tenant(one, spec) for one in (found if isinstance(found, list) else [])]
    known = {(one.name, *one.settings.values()): one for one in places if one}
    if not known:
        raise Unreadable(f"{connector}: the directory holds no place with a name and settings: check tenants")
    return [known[key] for key in sorted(known)]


def _tenant(record: object, spec: Tenants) -> Tenant | None:
    from hde.mapping.expression import FAILURES, compile

    try:
        name = compile(spec.name)(record)
        settings = {key: compile(path)(record) for key, path in spec.settings.items()}
    except FAILURES:
        return None
    texts = {key: value.strip() for key, value in settings.items() if isinstance(value, str) and value.strip()}
    if not isinstance(name, str) or not name.strip() or len(texts) < len(settings):
        return None
    return Tenant(" ".join("".join(char if char.isprintable() else " " for char in name[:200]).split()), texts)


def the_one(places: Sequence[Tenant], wanted: str, title: str) -> Tenant:
    """The place whose name has all these words, or begins of them; WrongUse with those that have, or that are near."""
    exact = [one for one in places if _plain(one.name) == _plain(wanted) or wanted.strip() in one.settings.values()]
    matching = exact or [one for one in places if _holds(_plain(one.name), _plain(wanted))]
    if len(matching) == 1:
        return matching[0]
    if matching:
        lines = "\n".join(f"  {one.name}  ({', '.join(one.settings.values())})" for one in matching)
        raise WrongUse(
            f"{len(matching)} places of {title} are called so; say which, by its whole name or its address:\n{lines}"
        )
    near = _near(places, wanted)
    there_is = f" Near that are:\n{chr(10).join(f'  {name}' for name in near)}" if near else ""
    raise WrongUse(f"None of {len(places):,} places of {title} is called {wanted[:80]!r}.{there_is}")


def _near(places: Sequence[Tenant], wanted: str) -> list[str]:
    """Names that are spelled alike, then those that share a long word."""
    names = {_plain(one.name): one.name for one in places}
    alike = [names[one] for one in get_close_matches(_plain(wanted), names, n=MOST_NEAR, cutoff=0.55)]
    words = [word for word in _plain(wanted).split() if len(word) > 3]
    spelled = {word: one for one in names for word in one.split()}
    close = [near for word in words for near in get_close_matches(word, spelled, n=3, cutoff=0.75)]
    sharing = [name for plain, name in names.items() if set(close) & set(plain.split())]
    return list(dict.fromkeys([*alike, *sharing]))[:MOST_NEAR]


def _holds(name: str, wanted: str) -> bool:
    words = name.split()
    return bool(wanted) and all(any(word.startswith(part) for word in words) for part in wanted.split())


def _plain(text: str) -> str:
    """Words without accents, case and punctuation: `St. Jöhn's` as `st john s`."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(_WORDS.findall("".join(char for char in letters if not unicodedata.combining(char))))

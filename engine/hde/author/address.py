"""The address an author called, taken apart: base URL, path, parameters; a key in it is told from the rest."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from hde.author.bounds import before_times
from hde.author.names import name_of, word_set
from hde.author.paging import Param, form_of
from hde.errors import WrongUse
from hde.spec.problem import snake

_SECRETS = word_set("key token secret apikey password signature sig auth")


@dataclass(frozen=True)
class Address:
    base_url: str
    path: str
    params: tuple[Param, ...]
    key_name: str | None = None
    """The parameter that held a key; its value is not kept."""

    @property
    def resource(self) -> str:
        """A name for what is fetched: the last part of the path before the times in it."""
        parts = before_times(self.path)
        return name_of(parts[-1] if parts else "", "records")


def take_apart(base_url: str, path: str) -> Address:
    """`path` may hold parameters, and may be a whole address where `base_url` is empty. WrongUse for what is none."""
    whole = path if "://" in path else f"{base_url.rstrip('/')}/{path.lstrip('/')}"
    try:
        parts = urlsplit(whole)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web or any(mark in whole for mark in ("{{", "}}", "{%", "{#")) or not whole.isprintable() or " " in whole:
        raise WrongUse("The address must be one a browser would open: https://api.example.com/v1/things?limit=50")
    if parts.username or parts.password:
        raise WrongUse("There is a password in the address: take it out and choose `--auth`; files never hold a secret")
    origin = f"{parts.scheme}://{parts.netloc}"
    base = base_url.rstrip("/") if base_url and whole.startswith(base_url.rstrip("/")) else origin
    rest = f"{origin}{parts.path}"[len(base) :] or "/"
    given = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name]
    secret = next((name for name, _ in given if _is_secret(name)), None)
    return Address(base, rest, tuple(_params([(n, v) for n, v in given if not _is_secret(n)])), secret)


def _params(given: list[tuple[str, str]]) -> list[Param]:
    values: dict[str, list[object]] = {}
    for name, value in given:
        values.setdefault(name, []).append(_value(value))
    return [
        Param(name, said[0] if len(said) == 1 else said, form_of(said[0]) if len(said) == 1 else None)
        for name, said in values.items()
    ]


def _value(text: str) -> object:
    plain = text.isascii() and text.isdigit() and len(text) < 10 and (text == "0" or text[0] != "0")
    return int(text) if plain else text


def _is_secret(name: str) -> bool:
    parts = snake(name).split("_")
    return parts[-1] in _SECRETS and "page" not in parts and "next" not in parts and "sync" not in parts

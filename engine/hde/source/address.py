"""Where a request may go: below the connector's base URL and nowhere else. Opens no connection.

An address can come from an answer (a next link, a reference, a redirect), so each is held against the declared origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, unquote_plus, urlencode, urljoin, urlsplit

from hde.errors import Refused, WrongUse
from hde.spec.template import Scope, Template
from hde.spec.template_filters import as_text

PORTS = {"http": 80, "https": 443}
LONGEST = 16_000
"""Characters of a URL; more is refused by most servers."""

_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?\Z|[0-9a-f.:]+\Z")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]|[^\x00-\x7f]")
_PERCENT_SAFE = "%/:?#[]@!$&'()*+,;=~-._"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; WrongUse where it is no http(s) URL of a host, or carries a user name."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WrongUse("an address that is no URL") from None
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not _HOST.match(host):
        raise WrongUse(f"{shown(url)!r} is no http or https URL")
    if parts.username is not None or parts.password is not None:
        raise WrongUse(f"{shown(url)!r} carries a user name; credentials belong into settings")
    return parts.scheme, host, port or PORTS[parts.scheme]


def shown(url: str) -> str:
    """The origin of a URL for messages: no user, no path, no query."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}"[:200] if rest else url[:80].partition("?")[0]


def is_loopback(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def below(base_url: str, path: Template, scope: Scope) -> str:
    """The URL of a request: its path joined below `base_url`, or a reference (a path that is one `{{ }}`) resolved."""
    if path.is_one_expression:
        return _referenced(base_url, path.render(scope), path.text)
    return _joined(base_url, path.render(scope, as_segments=True), path.text)


def next_url(current: str, link: str) -> str:
    """A next link, resolved against the URL it was found at; Refused where it leads elsewhere."""
    target = quote(urljoin(current, link.strip()), safe=_PERCENT_SAFE)
    return _on_same_origin(current, target, "the next page")


def redirected(current: str, location: str) -> str:
    return _on_same_origin(current, urljoin(current, location), "the answer redirects and")


def with_query(url: str, params: Mapping[str, object]) -> str:
    """The URL with parameters added to its query; a list repeats its parameter, nothing that is null is sent."""
    pairs = [(name, as_text(value)) for name, given in params.items() for value in _each(given) if value is not None]
    if not pairs:
        return url
    head, mark, fragment = url.partition("#")
    joint = "&" if "?" in head else "?"
    return head + joint + urlencode(pairs, quote_via=quote) + mark + fragment


def with_param(url: str, name: str, value: str) -> str:
    """The URL with one parameter of this name, whatever it held before; the others stay as they are written."""
    return with_query(without_param(url.partition("#")[0], name), {name: value})


def without_param(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) != name]
    return f"{head}?{'&'.join(kept)}" if kept else head


def _each(value: object) -> list[object]:
    if isinstance(value, Mapping):
        raise WrongUse("a map has no place in a query or form: write its entries as parameters of their own")
    return list(value) if isinstance(value, list | tuple) else [value]


def _joined(base_url: str, path: str, template: str) -> str:
    _refuse_dots(path, template)
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def _referenced(base_url: str, reference: str, template: str) -> str:
    if _UNSAFE.search(reference) or len(reference) > LONGEST:
        raise _refusal(f"{template} gives a reference that is no URL")
    _refuse_dots(urlsplit(reference).path, template)
    if "://" not in reference and not reference.startswith("//"):
        return _joined(base_url, reference.partition("#")[0], template)
    return _on_same_origin(base_url, urljoin(base_url, reference), f"{template}")


def _refuse_dots(path: str, template: str) -> None:
    if any(unquote(segment) in (".", "..") for segment in re.split(r"[/\\]", unquote(path))):
        raise _refusal(f"{template} leads out of its folder (`..`), which is refused")


def _refusal(message: str) -> Refused:
    """Refused by us: no request went out, so there is no status."""
    return Refused(message, status=0)


def _on_same_origin(current: str, target: str, what: str) -> str:
    if _UNSAFE.search(target) or len(target) > LONGEST:
        raise _refusal(f"{what} leads to something that is no URL")
    try:
        here, there = origin(current), origin(target)
    except WrongUse as error:
        raise _refusal(f"{what} leads nowhere a request may go: {error}") from None
    if here != there:
        raise _refusal(
            f"{what} leads to another origin, {shown(target)}, which is refused: credentials for {shown(current)} "
            "would travel there"
        )
    return target.partition("#")[0]

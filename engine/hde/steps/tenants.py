"""The places of a connector's directory, kept for a day, and the one a person names."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from hde.durable import replace_file
from hde.errors import SourceError, WrongUse
from hde.source import directory
from hde.source.address import is_loopback, shown
from hde.source.directory import Tenant
from hde.spec.sign_in import Tenants
from hde.steps.accounts import Way

FRESH = 86_400.0
"""Seconds for which a directory is not asked for again."""


def find_tenant(way: Way, home: Path, wanted: str) -> Tenant:
    """The place a person names. WrongUse where several or none are called so, or the connector has no directory."""
    connector = way.connector
    if connector.tenants is None:
        raise WrongUse(f"{connector.name} has no directory of places (`tenants`) to choose from")
    places = _places(way, connector.tenants, home)
    found = directory.the_one(places, wanted, connector.title or connector.name)
    for value in found.settings.values():
        parts = urlsplit(value)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise WrongUse(f"{found.name} is listed at {shown(value)}, which is not encrypted: nobody signs in there")
    return found


def _places(way: Way, spec: Tenants, home: Path) -> list[Tenant]:
    """The directory, at most a day old; an older one where its vendor is away."""
    name, url = way.connector.name, spec.url.render({"settings": way.settings})
    file = home / "directories" / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:16]}.json"
    try:
        is_fresh = 0 <= time.time() - file.stat().st_mtime < FRESH
        kept = file.read_bytes()
    except OSError:
        is_fresh, kept = False, b""
    if kept and is_fresh:
        with suppress(SourceError):  # read by other paths than it was kept for: the connector has changed
            return directory.tenants_in(kept, spec, name)
    try:
        body = directory.asked(name, url)
        places = directory.tenants_in(body, spec, name)
    except SourceError:
        if not kept:
            raise
        return directory.tenants_in(kept, spec, name)
    _keep(file, body)
    return places


def _keep(file: Path, body: bytes) -> None:
    """Where it cannot be kept it is asked for again the next time."""
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(file, body, file.with_suffix(".new"))

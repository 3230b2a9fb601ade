"""What stands in for a person, a clock and chance while recorded answers are played back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from hde.errors import WrongUse
from hde.source.budget import Patience
from hde.source.carry import basic, carry, send_of
from hde.source.elements import Element
from hde.spec.connector import Connector, Resource, Setting
from hde.spec.load import Source
from hde.spec.mapping import Mapping as OneMapping
from hde.spec.mapping import Reading
from hde.spec.mapping_test import read_tests
from hde.spec.sign_in import Basic, Send
from hde.spec.template import Template


def made_up(setting: Setting) -> str:
    """A value for a setting that nobody gave: told from a real one at first sight."""
    return setting.default if setting.default is not None else f"made-up-{setting.name}".replace("_", "-")


def settings_with(connector: Connector, given: Mapping[str, str]) -> dict[str, str]:
    """A value for every setting."""
    return {name: given.get(name, made_up(setting)) for name, setting in connector.settings.items()}


def made_up_account(source: Source, mappings: Path) -> dict[str, object]:
    """An id and every kept field: as a test in the folder `mappings` gives them, else made up.

    A zone is UTC, and what is read as a date is one.
    """
    kept = source.connector.account.keep if source.connector.account else ()
    zones = {reading.zone for mapping in source.mappings for reading in _readings(mapping)}
    made: dict[str, object] = {
        name: "UTC" if f"$account.{name}" in zones else f"made-up-{name}".replace("_", "-") for name in kept
    }
    made |= {name: "2020-01-01" for name in _dates(source.connector) if name in made}
    tests = read_tests(mappings)[0] if mappings.is_dir() else []
    told = next((test.account for test in tests if test.account), {})
    return {"id": "made-up-id", **made, **told}


def reads_account(template: Template | None) -> set[str]:
    """The fields of the account that a template names."""
    return {name[1] for name in template.names if name[0] == "account" and len(name) > 1} if template else set()


def _dates(connector: Connector) -> Iterator[str]:
    for resource in connector.resources.values():
        if resource.window is not None:
            yield from reads_account(resource.window.from_)
        for column in resource.columns:
            if column.type in ("date", "timestamptz"):
                yield column.path.removeprefix("$account.")


def made_up_element(resource: Resource, said: str | None) -> Element:
    """What `each` may be where nothing tells: a text, or a map of the fields that request and columns name."""
    named = {name[1:] for name in resource.request.names if name[0] == "each"}
    named |= {tuple(column.path.split(".")[1:]) for column in resource.columns if column.path.startswith("$each.")}
    key = said or "made-up-element"
    fields = {path[0]: _made_up_field(path) for path in sorted(named) if path}
    return Element(key, fields or key)


def _made_up_field(path: tuple[str, ...]) -> object:
    name, *below = path
    return {below[0]: _made_up_field(tuple(below))} if below else f"made-up-{name}".replace("_", "-")


def _readings(mapping: OneMapping) -> Iterator[Reading]:
    """Every column's, with the alternatives of a `first`."""
    for target in mapping.to.values():
        for rows in target.rows:
            for reading in rows.columns.values():
                yield from (reading, *reading.first)


class Clock(threading.Event):
    """The stop sign of a test: nobody sleeps by it, and it remembers who wanted to."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(round(timeout or 0.0, 3))
        return self.is_set()


class WithoutChance(Patience):
    """Waits 1, 2, 4, ... seconds."""

    def backoff(self, failures: int) -> float:
        return float(min(self.most, self.first * 2 ** (failures - 1)))


def made_up_sign_in(connector: Connector, settings: Mapping[str, str]) -> httpx.Auth | None:
    """Signed in already: a made-up token where the sign-in brings one, else what the settings say."""
    match connector.auth:
        case None:
            return None
        case Basic() as said:
            return basic(said, settings)
    return GivenToken(send_of(connector))


class GivenToken(httpx.Auth):
    """A made-up token where requests carry theirs, and a new one after the source refused it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._number = 1

    def renew(self, refused: httpx.Request) -> bool:
        self._number += 1
        return True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        carry(request, f"made-up-token-{self._number}", self._send)
        yield request


class NotGiven(dict[str, object]):
    """An account of which nothing is known: whoever reads a field of it hears how to give it."""

    def __missing__(self, name: str) -> object:
        raise WrongUse(f"account.{name} is needed: give it under `account`, or an exchange for the account's request")

    def get(self, name: str, default: object = None) -> object:
        return self[name]


@contextmanager
def no_log() -> Iterator[None]:
    """What a run would tell about waiting is no news here: nobody waits."""
    log = logging.getLogger("hde.source.budget")
    former, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = former

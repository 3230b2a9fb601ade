"""Exports: answers that a source prepares in the background, ordered once and fetched when they are there; frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from hde.spec.request import Errand, ErrorRule, Request, Where
from hde.spec.template import Template


@dataclass(frozen=True)
class Poll:
    """How a source is asked whether it is ready. What its Retry-After says comes before `every`."""

    every: timedelta = timedelta(seconds=10)
    most: timedelta = timedelta(minutes=5)
    """The longest pause between two looks, whatever the source asks for."""
    max_wait: timedelta = timedelta(minutes=30)
    """How long one run waits; the next one goes on."""


@dataclass(frozen=True)
class Told:
    """Files of an export in which the source has something to say: which ones, and the words in each line."""

    files: str
    """A JMESPath on the answer that lists the files."""
    text: str
    """A JMESPath on each line: a text, or a list of them."""


@dataclass(frozen=True)
class Export:
    name: str
    request: Request
    """Orders it. May name `bookmark`."""
    keep: Mapping[str, Where]
    """What its answers say that later requests need, as `export.NAME`."""
    status: Errand
    """Asks whether it is ready. The answer that says so lists the files, unless `result` does."""
    errors: tuple[ErrorRule, ...] = ()
    done: str | None = None
    """A JMESPath on the status answer, true when it is ready; None: it is with any answer but 202."""
    result: Errand | None = None
    """Asks for the list of files, where the status answer does not hold it."""
    progress: Where | None = None
    poll: Poll = field(default_factory=Poll)
    bookmark: Where | None = None
    """Where the answer that lists the files says what to ask for changes with next time."""
    signed_in: str | None = None
    """A JMESPath on that answer: whether files want the sign-in. None: they do on the API's own origin."""
    origins: tuple[Template, ...] = ()
    """Further origins on which files may lie."""
    warnings: Told | None = None
    discard: Errand | None = None
    """Sent once everything is stored."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """The one that orders it, then those that name what it keeps."""
        errands = (self.status, self.result, self.discard)
        return (self.request, *(one.request for one in errands if one is not None))


@dataclass(frozen=True)
class Deleted:
    """Files that name what is gone since the last export."""

    files: str
    """A JMESPath on the answer that lists the files."""
    records: str
    """A JMESPath on each line: a text, or a list of them."""
    key: str
    """How such a text names a record of this resource: `Observation/{id}`. Other texts are about other resources."""


@dataclass(frozen=True)
class Part:
    """What a resource takes out of an export."""

    of: str
    files: str
    """A JMESPath on the answer that lists the files: addresses, or objects with `url` and perhaps `count`."""
    deleted: Deleted | None = None

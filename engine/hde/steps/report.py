"""What a run did so far, counted as it goes: the closing table, the progress line and `--json` all read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hde.store.canonical import Written
from hde.store.merge import Counts

MOST_WARNINGS = 3
"""Of one resource, in the closing notes."""


@dataclass
class ResourceReport:
    name: str
    windows: int = 0
    windows_done: int = 0
    requests: int = 0
    pages: int = 0
    counts: Counts = field(default_factory=Counts)
    canonical: Written = field(default_factory=Written)
    issues: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: str | None = None
    preparing: str | None = None
    """What the source has not prepared yet: it is owed, and nobody has to do anything but run again."""
    seconds: float = 0.0

    @property
    def records(self) -> int:
        return self.counts.new + self.counts.changed + self.counts.unchanged


@dataclass
class Report:
    """By resource, in the connector's order. `changed` is called after every batch."""

    connector: str = ""
    changed: Callable[[], None] = lambda: None
    resources: dict[str, ResourceReport] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False
    waiting: str | None = None
    """What is waited for at the moment, in words."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Mapping counts from a thread of its own."""

    def expect(self, names: Iterable[str]) -> None:
        """The resources there will be, in the order they are told."""
        for name in names:
            self.of(name)

    def of(self, name: str) -> ResourceReport:
        return self.resources.setdefault(name, ResourceReport(name))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def warned(self, name: str, texts: Iterable[str]) -> None:
        """The source's own warnings; the first few are enough for a person, the ledger has more."""
        for text in texts:
            if sum(note.startswith(f"{name}: the source says: ") for note in self.notes) < MOST_WARNINGS:
                self.note(f"{name}: the source says: {text}")

    def begin_again(self) -> None:
        """What is stored stays counted; what was under way, or went wrong, is planned anew."""
        self.stopped = False
        for resource in self.resources.values():
            resource.windows = resource.windows_done
            resource.failures.clear()
            resource.preparing = None

    def planned(self, name: str, windows: int) -> None:
        self.of(name).windows += windows

    def page(self, name: str, requests: int) -> None:
        self.of(name).requests += requests
        self.of(name).pages += 1

    def found_issues(self, name: str, count: int) -> None:
        with self._lock:
            self.of(name).issues += count

    def stored(self, name: str, counts: Counts) -> None:
        resource = self.of(name)
        resource.counts.add(counts)
        resource.seconds = time.monotonic() - self.began
        self.changed()

    def window_done(self, name: str, skipped: str | None) -> None:
        resource = self.of(name)
        resource.windows_done += 1
        resource.skipped = skipped or resource.skipped

    def asked(self, name: str, requests: int) -> None:
        """Requests beside those for pages."""
        self.of(name).requests += requests
        self.changed()

    def window_failed(self, name: str, error: str) -> None:
        self.of(name).windows_done += 1
        self.failed(name, error)

    def failed(self, name: str, error: str) -> None:
        """Something is owed: each way to fail is told once."""
        resource = self.of(name)
        error = error.removeprefix(f"{self.connector}: {name}: ")
        if error not in resource.failures:
            resource.failures.append(error)

    def waits_for(self, what: str | None) -> None:
        """Told while nothing else happens; None: it is there."""
        self.waiting = what
        self.changed()

    def preparing(self, name: str, export: str, progress: str) -> None:
        """The run does not wait any longer for what the source prepares."""
        how_far = f" ({progress})" if progress else ""
        self.of(name).preparing = f"the source is still preparing {export}{how_far}; run again"

    def kept_missing(self, name: str, missing: int, scope: int, *, is_silent: bool) -> None:
        """Records that an answer no longer holds, and that are kept since it is not believed."""
        self.of(name).failures.append(
            f"{missing} stored record{'s are' if missing > 1 else ' is'} missing from an answer that holds nothing at"
            " all, so nothing was dropped; said again a day from now, it is believed. If really gone: --accept-deletes"
            if is_silent
            else f"{missing} of {scope} stored records are missing from the source's answer; that looks like an outage,"
            " so nothing was dropped. If they are really gone: --accept-deletes"
        )

    def mapped(self, name: str, written: Written, issues: int) -> None:
        resource = self.of(name)
        with self._lock:
            resource.canonical.add(written)
            resource.issues += issues
        resource.seconds = time.monotonic() - self.began
        self.changed()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def has_issues(self) -> bool:
        """Whether records hold something wrong, of level error."""
        return any(resource.issues for resource in self.resources.values())

    @property
    def is_owing(self) -> bool:
        """Whether something that was to be read could not be."""
        return self.stopped or any(one.failures or one.preparing for one in self.resources.values())

    @property
    def is_only_preparing(self) -> bool:
        """Whether what is owed is owed only because the source needs more time."""
        return self.is_owing and not self.stopped and not any(one.failures for one in self.resources.values())

    def as_data(self) -> dict[str, object]:
        return {
            "seconds": round(self.seconds, 3),
            "owing": self.is_owing,
            "notes": self.notes,
            "resources": [
                {
                    "resource": resource.name, "requests": resource.requests, "records": resource.records,
                    "new": resource.counts.new, "changed": resource.counts.changed,
                    "unchanged": resource.counts.unchanged, "vanished": resource.counts.vanished,
                    "canonical": resource.canonical.new + resource.canonical.changed,
                    "canonical_removed": resource.canonical.removed, "issues": resource.issues,
                    "skipped": resource.skipped, "preparing": resource.preparing, "failures": resource.failures,
                    "seconds": round(resource.seconds, 3),
                }
                for resource in self.resources.values()
            ],
        }  # fmt: skip

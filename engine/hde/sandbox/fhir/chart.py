"""The whole chart of the patient at one instant, written as one hospital writes it: ids, instants, `meta`. Reads the
entries; answers no requests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, NamedTuple

from hde.sandbox.fhir import clinical, labs, vitals
from hde.sandbox.fhir.life import visits
from hde.sandbox.fhir.manners import Manners
from hde.sandbox.fhir.record import Entry, Json, Version, concept

HOME_EVERY = 3
"""Days between blood pressures taken at home."""
ZONE = timezone(timedelta(hours=-5))
LONGEST_ID = 130


class Resource(NamedTuple):
    """As it is served; `updated` says when the hospital changed it last."""

    kind: str
    id: str
    updated: datetime
    body: Json


@dataclass
class Chart:
    """Everything from `since` on. `changed` and `deleted` are what a test did to it, beside what time does:
    elements as they are served, None where there is one no more."""

    seed: int
    since: datetime
    manners: Manners
    changed: dict[tuple[str, str], list[Version]] = field(default_factory=dict)
    deleted: dict[tuple[str, str], datetime] = field(default_factory=dict)

    @property
    def patient(self) -> str:
        return self.id_of("Patient", "1")

    def at(self, now: datetime) -> dict[str, dict[str, Resource]]:
        """By kind and id, newest first."""
        found: dict[str, dict[str, Resource]] = {}
        for entry in sorted(self._entries(now), key=lambda entry: entry.versions[0].at, reverse=True):
            versions = [version for version in entry.versions if version.at <= now]
            key = self.id_of(entry.kind, entry.key)
            if versions and (entry.kind, key) not in self.deleted:
                found.setdefault(entry.kind, {})[key] = self._written(entry, key, versions)
        return found

    def _entries(self, now: datetime) -> Iterator[Entry]:
        yield from clinical.of_history(self.since)
        for visit in visits(self.seed, self.since, now):
            yield from clinical.of_visit(visit)
            yield from vitals.of_visit(self.seed, visit)
            if visit.number % 4 == 0:
                yield vitals.smoking(visit)
            yield from labs.of_visit(self.seed, visit)
        first, last = self.since.date().toordinal(), now.date().toordinal()
        for day in range(first + -first % HOME_EVERY, last + 1, HOME_EVERY):
            morning = datetime.combine(date.fromordinal(day), datetime.min.time(), UTC) + timedelta(hours=12, minutes=5)
            yield vitals.of_home(self.seed, morning)

    def _written(self, entry: Entry, key: str, versions: list[Version]) -> Resource:
        updated, body = versions[-1]
        changes = self.changed.get((entry.kind, key), [])
        updated = max([updated, *(change.at for change in changes)])
        if entry.kind == "MedicationRequest" and self.manners.medication == "concept":
            body = _with_concept(body)
        meta = {}
        if self.manners.last_updated:
            meta = {"meta": {"versionId": str(len(versions) + len(changes)), "lastUpdated": updated.astimezone(UTC)}}
        whole = self._plain({"resourceType": entry.kind, "id": key, **meta, **body})
        for change in changes:
            whole |= change.body
        kept = {name: value for name, value in whole.items() if value is not None}
        return Resource(entry.kind, key, updated, kept)

    def _plain(self, value: Any) -> Any:
        """Instants, days and references as this hospital writes them."""
        match value:
            case dict():
                return {name: self._linked(name, self._plain(one)) for name, one in value.items()}
            case list() | tuple():
                return [self._plain(one) for one in value]
            case datetime():
                return value.astimezone(ZONE).isoformat() if self.manners.local_time else f"{value:%Y-%m-%dT%H:%M:%SZ}"
            case date():
                return value.isoformat()
        return value

    def _linked(self, name: str, value: Any) -> Any:
        if name not in ("reference", "url") or not isinstance(value, str) or not value[:1].isupper():
            return value
        kind, _, key = value.partition("/")
        return f"{kind}/{self.id_of(kind, key)}"

    def id_of(self, kind: str, key: str) -> str:
        """The id by which this hospital knows an entry."""
        digest = hashlib.sha512(f"{self.manners.name}/{kind}/{key}".encode()).digest()
        if not self.manners.long_ids:
            return str(int.from_bytes(digest[:4], "big")) if self.manners.paging == "context" else digest[:12].hex()
        if kind == "Observation" and key.startswith("pulse."):  # as the temperature's id, but for upper and lower case
            return self.id_of(kind, f"temperature.{key.partition('.')[2]}").swapcase()
        if kind == "Patient":
            digest = digest[:24]
        letters = base64.urlsafe_b64encode(digest + digest[:32]).decode().translate(_LETTERS)
        return f"e{letters[: LONGEST_ID - 2 - digest[0] % 80]}3"


_LETTERS = str.maketrans("_=", ".Q")


def _with_concept(body: Json) -> Json:
    """As hospitals have it that name the drug in the request itself."""
    name = str(body["medicationReference"]["display"])
    drug = next(entry for entry in clinical.of_history(datetime.min.replace(tzinfo=UTC)) if _names(entry, name))
    rest = {key: value for key, value in body.items() if key != "medicationReference"}
    return {**rest, "medicationCodeableConcept": drug.versions[0].body.get("code", concept(text=name))}


def _names(entry: Entry, name: str) -> bool:
    return entry.kind == "Medication" and entry.versions[0].body["code"]["text"] == name

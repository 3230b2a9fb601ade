"""SMART's scopes: what is asked for, what of it a hospital grants, and what a grant lets a client read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hde.sandbox.fhir.manners import Manners

RESOURCES = (
    "Patient", "Observation", "DiagnosticReport", "Encounter", "Condition", "MedicationRequest", "Medication",
    "AllergyIntolerance", "Immunization", "Procedure", "DocumentReference", "Binary",
)  # fmt: skip
CONTEXT = ("launch/patient", "offline_access")
"""Whatever else may be asked for, nobody is told who signed in."""

_DATA = re.compile(r"(patient|user|system)/(\*|[A-Z]\w*)\.([a-z*]+)(\?.+)?")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


@dataclass(frozen=True)
class Scope:
    """`rights` is an in-order part of `cruds`; `resource` may be `*`."""

    level: str
    resource: str
    rights: str
    form: str
    """v1 or v2: as it was written."""
    text: str

    def covers(self, resource: str) -> bool:
        return self.resource in ("*", resource)


def parse(text: str) -> Scope | None:
    """A scope for data; None for any other word."""
    match = _DATA.fullmatch(text)
    if match is None:
        return None
    level, resource, rights, query = match.groups()
    if rights in _V1:
        return None if query else Scope(level, resource, _V1[rights], "v1", text)
    if not re.fullmatch("c?r?u?d?s?", rights):
        return None
    return Scope(level, resource, rights, "v2", text)


def granted(asked: Iterable[str], manners: Manners, level: str) -> tuple[str, ...]:
    """What a hospital grants of what was asked: never more, and only reading."""
    given: list[str] = []
    for word in asked:
        scope = parse(word)
        if scope is None:
            given += [word] if word in CONTEXT else []
        elif (
            scope.form in manners.permissions and scope.level == level and ("r" in scope.rights or "s" in scope.rights)
        ):
            given += _narrowed(scope, manners)
    return tuple(dict.fromkeys(given))


def _narrowed(scope: Scope, manners: Manners) -> list[str]:
    if scope.resource in manners.withheld:
        return []
    reading = "".join(right for right in scope.rights if right in "rs")
    suffix = "read" if scope.form == "v1" else reading
    query = scope.text.partition("?")[2]
    named = [resource for resource in RESOURCES if resource not in manners.withheld]
    whole = scope.resource == "*" and not manners.spells_out and not manners.withheld
    resources = [scope.resource] if whole or scope.resource != "*" else named
    return [f"{scope.level}/{resource}.{suffix}" + (f"?{query}" if query else "") for resource in resources]


def allows(scopes: Iterable[str], resource: str, right: str) -> bool:
    """Whether a grant lets a client read (`r`) or search (`s`) a resource."""
    found = filter(None, map(parse, scopes))
    return any(scope.covers(resource) and right in scope.rights for scope in found)


def meaning(text: str) -> str:
    """For the person who is asked."""
    scope = parse(text)
    if scope is None:
        return {"offline_access": "Stay connected while you are away", "launch/patient": "Know whose record it is"}[
            text
        ]
    kinds = "Everything in your record" if scope.resource == "*" else scope.resource
    return f"Read: {kinds}"

"""FHIR's XML, for clients that forget to ask for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hde.sandbox.fhir.record import Json

KIND = "application/fhir+xml;charset=utf-8"


def as_xml(resource: Json) -> bytes:
    name = resource["resourceType"]
    return f'<{name} xmlns="http://hl7.org/fhir">{"".join(_inside(resource))}</{name}>'.encode()


def _inside(body: Json) -> Iterator[str]:
    for name, value in body.items():
        if name != "resourceType":
            for one in value if isinstance(value, list) else [value]:
                yield _element(name, one)


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inside = "".join(_inside(value))
        kind = value.get("resourceType")
        return f"<{name}><{kind}>{inside}</{kind}></{name}>" if kind else f"<{name}>{inside}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{escape(name)} value={quoteattr(text)}/>"

"""The table of FHIR's elements against those of two other implementations: their types, and whether they are lists."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from fhirpathpy.models import models

from hde.author.viewdefinition import types

R4 = models["r4"]
RESOURCES = [
    "Patient", "Observation", "DiagnosticReport", "Condition", "Encounter", "MedicationRequest", "Immunization",
    "AllergyIntolerance", "Procedure", "DocumentReference", "QuestionnaireResponse", "CarePlan", "HumanName",
    "CodeableConcept", "Quantity", "Timing", "Dosage", "Reference", "Period",
]  # fmt: skip
TEXT = {"code", "uri", "url", "canonical", "id", "oid", "markdown", "xhtml", "base64Binary"}


def own(type_: str) -> dict[str, types.Element]:
    return types._types()[type_]


@pytest.mark.parametrize("type_", RESOURCES)
def test_every_element_has_the_type_it_has(type_: str) -> None:
    told = {
        path.removeprefix(f"{type_}."): kind for path, kind in R4["path2Type"].items() if path.startswith(f"{type_}.")
    }
    for name, element in own(type_).items():
        kind = told.get(name)
        suffixes = {
            choice: name.removeprefix(choice)
            for choice in types._choices().get(type_, {})
            if kind is None and name.startswith(choice)
        }
        if kind is None:  # one of a choice, else a part without a name of its own, or what every resource has
            assert all(suffix in R4["choiceTypePaths"][f"{type_}.{one}"] for one, suffix in suffixes.items())
        elif element.type[0].islower():
            assert element.type == {"unsignedInt": "integer", "positiveInt": "integer"}.get(
                kind, "string" if kind in TEXT or kind == "System.String" else kind
            )
        elif kind not in ("BackboneElement", "Element"):
            assert element.type == kind or kind in ("SimpleQuantity", "MoneyQuantity")


@pytest.mark.parametrize("type_", RESOURCES)
def test_every_list_is_a_list(type_: str) -> None:
    pytest.importorskip("fhir.resources")
    module = importlib.import_module(f"fhir.resources.R4B.{type_.lower()}")
    fields: dict[str, Any] = {field.alias or name: field for name, field in getattr(module, type_).model_fields.items()}
    for name, element in own(type_).items():
        assert bool(re.search(r"\bList\[", str(fields[name].annotation))) == element.many, name


def test_what_nobody_tells_is_nothing() -> None:
    assert types.element("Patient", "nmae") is None
    assert types.element("Thing", "name") is None
    assert types.element(None, "extension") == types.Element("Extension", True)
    assert types.choices("Patient", "deceased") == ("Boolean", "DateTime")
    assert types.choices("Patient", "name") is None
    assert types.type_of_choice("DateTime") == "dateTime"
    assert types.type_of_choice("CodeableConcept") == "CodeableConcept"

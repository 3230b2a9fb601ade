"""How hospitals' servers differ from each other, as data. Measured on such servers, whatever the standard says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Manners:
    """What is said here is all that tells one simulated hospital from another; the person is the same."""

    name: str
    path: str
    """Of the FHIR base, below the origin."""
    signs_in: bool = True
    """Whether a request needs a token at all."""
    permissions: tuple[str, ...] = ("v1", "v2")
    """Which forms of scopes are understood: `patient/Observation.read` is v1, `.rs` v2. Others are not granted."""
    withheld: tuple[str, ...] = ()
    """Resources that are never granted, however they are asked for."""
    names_offline: bool = True
    """Whether the granted scopes name `offline_access`, where a refresh token comes with them."""
    refreshes_public: bool = True
    """Whether a client without a secret gets a refresh token."""
    spells_out: bool = False
    """Whether `patient/*.rs` is granted as a list of single resources."""
    paging: Literal["offset", "session", "context"] = "offset"
    """What next links look like: a parameter of the search, an opaque session, a token beside the search."""
    session_of_token: bool = False
    """Whether a search's next pages end with the access token that began it."""
    total: Literal["all", "page", "none"] = "all"
    default_count: int = 50
    largest_count: int = 1000
    category_required: bool = False
    """Whether observations must be searched by category or code, and only by categories that are known."""
    patient_required: bool = False
    """Whether a search must say whose records it wants."""
    patient_by_id_only: bool = False
    outcome_in_bundles: bool = False
    """Whether every searchset has an entry that is no match but an OperationOutcome."""
    last_updated: bool = True
    """Whether resources say when they changed, and can be searched by that."""
    last_updated_alone: bool = False
    """Whether `_lastUpdated` is refused together with `date`."""
    bare_refusals: bool = False
    """Whether 401 and 403 come without a body, and an unknown path as a page of HTML."""
    xml_by_default: bool = False
    long_ids: bool = False
    """Whether ids have up to 130 characters, and some differ only by case."""
    medication: Literal["reference", "concept"] = "reference"
    local_time: bool = True
    """Whether instants are written in the hospital's time, else in UTC."""
    exports: bool = True
    one_export: bool = False
    """Whether a client may have only one export at a time."""


PLAIN = Manners("plain", "/fhir")
"""As the standard has it."""

OPEN = Manners("open", "/open/r4", signs_in=False)
"""A public test server: nobody signs in."""

EPIC = Manners(
    "epic",
    "/interconnect/api/FHIR/R4",
    withheld=("Procedure",),
    names_offline=False,
    refreshes_public=False,
    spells_out=True,
    paging="session",
    session_of_token=True,
    total="page",
    default_count=1000,
    category_required=True,
    patient_required=True,
    patient_by_id_only=True,
    outcome_in_bundles=True,
    last_updated=False,
    bare_refusals=True,
    xml_by_default=True,
    long_ids=True,
    local_time=False,
    exports=False,
)

ORACLE = Manners(
    "oracle",
    "/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d",
    permissions=("v1",),
    withheld=("Immunization",),
    paging="context",
    total="none",
    default_count=10,
    patient_required=True,
    last_updated_alone=True,
    medication="concept",
    one_export=True,
)

MANNERS = {manners.name: manners for manners in (PLAIN, OPEN, EPIC, ORACLE)}

"""From one request of a source and its answer to the draft of a connector with one resource."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hde.author.address import Address, take_apart
from hde.author.files import Draft
from hde.author.names import name_of
from hde.author.paging import leaves_beside
from hde.author.part import Part
from hde.author.resource import ResourceDraft, Seen, draft_resource
from hde.author.sample import find_records, read_answer
from hde.author.signin import SignIn, signin_part
from hde.errors import WrongUse


@dataclass(frozen=True)
class Asked:
    """What an author says about a source."""

    name: str
    base_url: str
    path: str
    sample: str
    """The answer, as text."""
    sign_in: SignIn = field(default_factory=SignIn)
    resource: str | None = None
    records: str | None = None


_PERSONAL = "fixtures hold the sample's records as they are: take out what is personal before you share them"


def draft_from_sample(asked: Asked) -> Draft:
    """The draft; WrongUse says what cannot be understood."""
    address = take_apart(asked.base_url, asked.path)
    resource = name_of(asked.resource, "records") if asked.resource else address.resource
    if asked.resource and resource != asked.resource:
        raise WrongUse(f"{asked.resource!r} is no name of a resource (a-z, 0-9 and _); {resource!r} would be")
    answer = read_answer(asked.sample)
    found = find_records(answer, resource, asked.records)
    seen = Seen(
        resource,
        address.path,
        address.params,
        found.path,
        found.records,
        tuple(leaves_beside(answer, found.at)),
        found.is_list,
        found.note,
    )
    drafted = draft_resource(asked.name, seen)
    sign_in, remarks = _sign_in(asked, address)
    connector = connector_part(asked.name, address.base_url, signin_part(sign_in, address.base_url), [drafted])
    return Draft(asked.name, connector, [drafted], [*remarks, *_remarks(drafted), _PERSONAL])


def connector_part(name: str, base_url: str, signing: Part, resources: list[ResourceDraft]) -> Part:
    """The whole connector, its keys in the order in which they are read."""
    part = Part({"name": name}) + Part({"settings": {}, "http": {"base_url": base_url}}) + signing
    for one in resources:
        part += one.part.under("resources", one.name)
    order = ("name", "title", "docs", "settings", "http", "auth", "account", "shared", "resources")
    return Part({key: part.said[key] for key in order if part.said.get(key)}, part.notes)


def _sign_in(asked: Asked, address: Address) -> tuple[SignIn, list[str]]:
    """A key in the address is a key in a parameter, whatever its value was."""
    sign_in = asked.sign_in
    if address.key_name is None:
        return sign_in, []
    remark = f"the value of {address.key_name} in the address was not kept: a file never holds a secret"
    if sign_in.kind in ("none", "key-query"):
        return replace(sign_in, kind="key-query", key_name=address.key_name), [remark]
    return sign_in, [remark]


def _remarks(drafted: ResourceDraft) -> list[str]:
    if drafted.mapping is None:
        return [
            f"no field of {drafted.name} is certain to be a canonical one: no mapping was written, its records stay raw"
        ]
    return []

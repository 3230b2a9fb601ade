"""What a mapping refers to, held against its connector: the resource, `with`, and names after `$`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hde.check.place import complain
from hde.check.record_paths import ELEMENT
from hde.check.written import Written, written
from hde.spec.connector import Connector, Resource
from hde.spec.mapping import Mapping, Reference
from hde.spec.problem import Problem, did_you_mean, with_hint
from hde.spec.yaml_file import YamlFile

_WHOLE = {"int": "bigint"}


def references_problems(mapping: Mapping, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What a mapping refers to that is not there, or cannot be found the way it says."""
    resource = connector.resources.get(mapping.from_)
    if resource is None:
        message = f"{mapping.from_} is not a resource of {connector.name}"
        yield complain(file, ("from",), with_hint(message, mapping.from_, connector.resources))
    expressions = list(written(mapping, file))
    used = {one.of for one in expressions} | {of for one in expressions for of in one.reads}
    for reference in mapping.with_.values():
        if resource is not None:
            yield from _reference(reference, resource, connector, file)
        if reference.name not in used:
            message = f"nothing reads ${reference.name}"
            yield complain(file, ("with", reference.name), message, "warning")
    for one in expressions:
        if fault := _fault(one, mapping, connector, resource):
            yield complain(file, one.trail, fault)


def one_mapping_each(mappings: Sequence[tuple[Mapping, YamlFile]]) -> Iterator[Problem]:
    """One file per raw resource and table, so that what becomes of it can be seen in one place."""
    first: dict[tuple[str, str], YamlFile] = {}
    for mapping, file in mappings:
        twice = [(table, first[mapping.from_, table]) for table in mapping.to if (mapping.from_, table) in first]
        if twice:
            table, other = twice[0]
            message = f"{mapping.from_} is mapped to {table} in {other.file.name} already"
            yield complain(file, ("from",), message)
        for table in mapping.to:
            first.setdefault((mapping.from_, table), file)


def _reference(reference: Reference, resource: Resource, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    names = [column.name for column in resource.columns]
    column = resource.column(reference.key)
    if column is None:
        message = f"{reference.key} is not a column of {resource.name}: the key of the other record must be one"
        yield complain(file, ("with", reference.name, "key"), with_hint(message, reference.key, names))
    trail = ("with", reference.name, "from")
    other = connector.resources.get(reference.from_)
    if other is None:
        message = f"{reference.from_} is not a resource of {connector.name}"
        yield complain(file, trail, with_hint(message, reference.from_, connector.resources))
    elif len(other.key) != 1 or other.observe:
        why = (
            "it is observed, many rows for one key"
            if other.observe
            else f"its key is [{', '.join(other.key)}], not one column"
        )
        yield complain(file, trail, f"{other.name} cannot be found by {reference.key}: {why}")
    elif column is not None and (key := other.column(other.key[0])) is not None:
        here, there = (_WHOLE.get(one.type, one.type) for one in (column, key))
        if here != there:
            message = f"{resource.name}.{column.name} is {column.type} and {other.name}.{key.name} is {key.type}"
            yield complain(file, ("with", reference.name, "key"), message + ": declare them alike")


def _fault(one: Written, mapping: Mapping, connector: Connector, resource: Resource | None) -> str | None:
    known = [f"${name}" for name in mapping.with_]
    first = one.below.split(".", 1)[0].removesuffix(ELEMENT)
    match one.of:
        case "" | None:
            return None
        case "account" if connector.account is None:
            return f"{one.text} needs an `account` in the connector: it says whose data this is"
        case "account" if connector.account:
            fields = ["id", *connector.account.keep]
            there_is = f" There is {', '.join(f'$account.{name}' for name in fields)}"
            hint = did_you_mean(one.text, [f"$account.{name}" for name in fields]) or there_is
            return None if first in fields else f"{one.text} does not exist.{hint}"
        case "row" if one.below != "observed_at":
            return f"{one.text} does not exist. There is $row.observed_at"
        case "row":
            observed = resource is None or resource.observe
            return None if observed else f"{mapping.from_} is not observed (`observe: true`), so it has no {one.text}"
        case name if name in one.here.scope.known:
            return None
        case name if one.is_item_name:
            return f"${name} stands only inside {'another' if one.here.scope.depth else 'an'} `each`"
        case name:
            items = ["$parent", "$index"] if one.here.scope.depth else []
            hint = did_you_mean(f"${name}", [*known, *items, "$account", "$row"])
            there = (("$account", connector.account), ("$row.observed_at", resource is None or resource.observe))
            here = [*known, *items, *(word for word, is_there in there if is_there)]
            there_is = f" There is {', '.join(here) or 'none'}; `with` names other records"
            return f"${name} does not exist.{hint or there_is}"

"""The fixtures beside a source's mappings, for those who look at one of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hde.check.fixtures import fixtures
from hde.errors import WrongUse
from hde.spec.load import Source, mappings_folder
from hde.spec.mapping_test import fixture_file
from hde.spec.problem import did_you_mean
from hde.steps.trying.rehearsal import Records


def folder_of(source: Source) -> Path:
    return mappings_folder(source.connector.file)


def known_fixtures(source: Source) -> Records:
    """The fixtures of a resource by name."""

    @cache
    def of(resource: str) -> Mapping[str, object]:
        return fixtures(folder_of(source), resource)

    return of


def content_of(source: Source, resource: str, name: str) -> bytes:
    """The text of a fixture as it lies there; WrongUse with what there is where it is not."""
    known = known_fixtures(source)(resource)
    if name not in known:
        hint = did_you_mean(name, known) or f" There is {', '.join(known) or 'none yet'}."
        raise WrongUse(f"No fixture {name!r} in {folder_of(source) / 'fixtures' / resource}.{hint}")
    return fixture_file(folder_of(source), resource, name).read_bytes()

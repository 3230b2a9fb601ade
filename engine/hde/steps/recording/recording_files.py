"""Which files a recording becomes, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from hde.mapping.compiled import compile_mapping
from hde.source.exact import decode_exactly
from hde.spec.connector import Resource
from hde.spec.load import Source
from hde.spec.mapping_test import FIXTURES, TESTS, fixture_file
from hde.spec.yaml_text import yaml_text
from hde.steps.recording.record import Recording
from hde.steps.recording.told_test import as_test, pretty
from hde.steps.trying.fixture_files import folder_of, known_fixtures

PAGES = "exchanges"
"""The folder of whole answers among the fixtures."""
_HEAD = (
    "# Written by `hde record`: who it was about is made up, times are moved. What is expected is what came of it.\n"
)


def files_of(
    recording: Recording, source: Source, resource: Resource, settings: Mapping[str, str], name: str
) -> dict[Path, bytes]:
    """Fixtures, and where it can be read again pages and a test that plays them back."""
    folder = folder_of(source)
    several = len(recording.records) > 1
    names = [f"{name}_{number}" if several else name for number in range(1, len(recording.records) + 1)]
    files = {
        fixture_file(folder, resource.name, one): pretty(decode_exactly(text))
        for one, text in zip(names, recording.records, strict=True)
    }
    if not recording.is_whole:
        return files
    pages = [f"{PAGES}/{resource.name}_{name}_{number}.json" for number in range(1, len(recording.pages) + 1)]
    files |= {folder / FIXTURES / page: pretty(told[0]) for page, told in zip(pages, recording.pages, strict=True)}
    known = known_fixtures(source)

    @cache
    def records(of: str) -> Mapping[str, object]:
        own = {one: msgspec.json.decode(text) for one, text in zip(names, recording.records, strict=True)}
        return {**known(of), **own} if of == resource.name else known(of)

    compiled = [compile_mapping(mapping) for mapping in source.mappings]
    title = f"{resource.name} as it was recorded"
    test = as_test(recording, source, resource, settings, pages, compiled, records, title)
    files[folder / TESTS / f"{resource.name}_{name}.yaml"] = (_HEAD + yaml_text(test)).encode()
    return files

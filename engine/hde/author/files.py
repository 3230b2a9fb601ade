"""The files of a draft as text, by their paths, and the writing of them: all or none, nothing overwritten unasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hde.author.fixtures import fixture_text
from hde.author.part import Part
from hde.author.played import FOLDER
from hde.author.resource import ResourceDraft
from hde.author.schemas import schema_line
from hde.author.yaml_text import Layout, yaml_text
from hde.errors import WrongUse

_TOP = tuple((name,) for name in ("settings", "http", "auth", "account", "shared", "resources"))
_NAMED = (("resources", "*"), ("shared", "*"))
CONNECTOR = Layout(open=tuple(one for one in (*_TOP, *_NAMED) if one != ("account",)), apart=(*_TOP, *_NAMED))
MAPPING = Layout(open=(("columns",), ("to",), ("to", "*"), ("to", "*", "rows"), ("to", "*", "columns"), ("ignore",)))
_TEST = Layout(open=(("tests",),))


@dataclass(frozen=True)
class Draft:
    """A connector and its resources."""

    name: str
    connector: Part
    resources: Sequence[ResourceDraft]
    remarks: Sequence[str] = ()
    """What is not in the files, for the author to know."""

    def texts(self, schemas: str) -> dict[str, str]:
        """The files, by their paths below the folder that holds `connectors`. `schemas`: the folder of the schemas."""
        connector = f"connectors/{self.name}.yaml"
        head = schema_line(schemas, connector, "connector")
        texts = {connector: head + yaml_text(self.connector.said, self.connector.notes, CONNECTOR)}
        for resource in self.resources:
            texts |= _of_resource(f"mappings/{self.name}", resource, schemas)
        return texts


def _of_resource(folder: str, resource: ResourceDraft, schemas: str) -> dict[str, str]:
    fixtures = {
        f"{folder}/fixtures/{resource.name}/{name}.json": fixture_text(record)
        for name, record in resource.fixtures.items()
    }
    if resource.played is not None:
        read = f"{folder}/tests/{resource.name}_read.yaml"
        fixtures = {
            read: schema_line(schemas, read, "mapping-test") + yaml_text(resource.played.said, {}, _TEST),
            **fixtures,
            f"{folder}/fixtures/{FOLDER}/{resource.name}.json": fixture_text(resource.played.answer),
        }
    if resource.mapping is None or resource.tests is None:
        return fixtures
    mapping, tests = f"{folder}/{resource.name}.yaml", f"{folder}/tests/{resource.name}.yaml"
    return {
        mapping: schema_line(schemas, mapping, "mapping") + yaml_text(resource.mapping, {}, MAPPING),
        tests: schema_line(schemas, tests, "mapping-test")
        + "# look: this is what the mapping makes of the fixtures today; is it what the source's documentation says?\n"
        + yaml_text(resource.tests, {}, _TEST),
        **fixtures,
    }


def write(texts: Mapping[str, str], folder: Path, *, force: bool) -> list[Path]:
    """Write all files; WrongUse before the first where one is there already and `force` is not said."""
    files = {folder / PurePosixPath(name): text for name, text in texts.items()}
    there = [file for file in files if file.exists()]
    if there and not force:
        more = f" and {len(there) - 1} more" if there[1:] else ""
        raise WrongUse(f"{there[0].relative_to(folder)}{more} is there already; `--force` writes it anew")
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise WrongUse(f"{file} cannot be written ({error.strerror})") from None
    return list(files)

"""What a schema cannot see in the templates of reports: names that lead nowhere, patterns that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hde.check.place import complain, in_resource
from hde.errors import WrongUse
from hde.spec.connector import Resource
from hde.spec.problem import KeyPath, Problem, quoted, with_hint
from hde.spec.regex import fields_of, with_parts
from hde.spec.report import GIVEN, LINE, ReportTemplate
from hde.spec.yaml_file import YamlFile


def reports_problems(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    """Of one resource."""
    for template in resource.format.templates:
        top = in_resource(file, resource.name, "format", "templates", template.name)
        checked = _Template(template, resource.format.patterns, file, top)
        yield from checked.problems()


class _Template:
    def __init__(self, template: ReportTemplate, parts: Mapping[str, str], file: YamlFile, top: KeyPath) -> None:
        self._template = template
        self._parts = parts
        self._file = file
        self._top = top
        self._fields: dict[str, None] = {}
        """What its rows find, in their order."""

    def problems(self) -> Iterator[Problem]:
        said, table = self._template, self._template.table
        yield from self._of_patterns()
        yield from self._named(said.id, said.header, "is not in `header`", "id")
        if not self._fields:
            return
        yield from self._named(table.key, self._fields, "is a field that no row finds", "table", "key")
        yield from self._named(table.require, self._fields, "is a field that no row finds", "table", "require")
        if table.numbers is not None:
            what = "is a field that no row finds"
            yield from self._named(table.numbers.in_, self._fields, what, "table", "numbers", "in")
        if all(row.kind != "result" for row in table.rows):
            yield self._complain("none of the rows is a result", "table", "rows")
        if table.columns and table.start is not None:
            yield self._complain("start is where there is no header row; this table has `columns`", "table", "start")

    def _of_patterns(self) -> Iterator[Problem]:
        said, table = self._template, self._template.table
        for name, listed in (("all", said.detect.all), ("any", said.detect.any)):
            for at, text in enumerate(listed):
                yield from self._pattern(text, "detect", name, at)
        for name, text in said.header.items():
            yield from self._pattern(text, "header", name)
        for at, text in enumerate(said.skip):
            yield from self._pattern(text, "skip", at)
        for name, one in (("start", table.start), ("end", table.end)):
            if one is not None:
                yield from self._pattern(one, "table", name)
        for at, row in enumerate(table.rows):
            for cell, text in row.match.items():
                place = ("table", "rows", at, "match", cell)
                yield from self._pattern(text, *place, of_row=True)
                if cell not in (LINE, *table.columns):
                    message = with_hint(
                        f"{quoted(cell)} is neither a column nor `{LINE}`", cell, [*table.columns, LINE]
                    )
                    yield self._complain(message, *place)

    def _pattern(self, text: str, *place: str | int, of_row: bool = False) -> Iterator[Problem]:
        try:
            found = fields_of(with_parts(text, self._parts))
        except WrongUse as error:
            yield self._complain(str(error), *place)
            return
        for name in found if of_row else ():
            self._fields[name] = None
            if name in GIVEN:
                yield self._complain(f"{quoted(name)} is what every row has; call the field otherwise", *place)

    def _named(self, names: tuple[str, ...], known: Mapping[str, object], what: str, *place: str) -> Iterator[Problem]:
        for at, name in enumerate(names):
            if name not in known:
                yield self._complain(with_hint(f"{quoted(name)} {what}", name, known), *place, at)

    def _complain(self, message: str, *place: str | int) -> Problem:
        return complain(self._file, (*self._top, *place), message)

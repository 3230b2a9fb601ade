"""One GET of an OpenAPI document: its parameters, and the records its answer is said to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hde.author.document import Document
from hde.author.fields import Names
from hde.author.made import absent, made, types
from hde.author.paging import Param, leaves_beside
from hde.author.part import look
from hde.author.resource import Seen
from hde.author.sample import Found, find_records
from hde.author.schema_shape import Shape, shape_of
from hde.errors import WrongUse
from hde.spec.connector import ColumnType
from hde.spec.problem import snake


@dataclass(frozen=True)
class Described:
    """What the document says about one GET."""

    path: str
    params: tuple[Param, ...]
    answer: Any
    """Made from the schema."""
    found: Found
    record: Shape

    @property
    def is_list(self) -> bool:
        return self.found.is_list

    @property
    def types(self) -> dict[Names, ColumnType]:
        """The raw type of each field of a record."""
        return dict(types(self.record))

    def seen(self, name: str) -> Seen:
        """The same as a resource is drafted from."""
        more = absent(self.record)
        return Seen(
            name=name,
            path=self.path,
            params=self.params,
            records_path=self.found.path,
            records=(self.found.records[0], *([more] if more else [])),
            leaves=tuple(leaves_beside(self.answer, self.found.at)),
            is_list=self.is_list,
            note=self.found.note,
            types=self.types,
        )


def described(
    document: Document, path: str, operation: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
) -> Described:
    """WrongUse where the answer holds no records, or the document does not say what it holds."""
    shape = shape_of(document, _schema(document, operation))
    answer = made(shape)
    found = find_records(answer, snake(path.rstrip("/").rpartition("/")[2]))
    return Described(path, tuple(_params(document, parameters)), answer, found, _record_shape(shape, found))


def _schema(document: Document, operation: Mapping[str, Any]) -> Any:
    """The schema of the first answer that is a success, in JSON."""
    said = document.resolved(operation.get("responses"))
    responses = {str(status): response for status, response in said.items()}  # YAML reads 200 as a number
    for status in sorted(status for status in responses if status.startswith("2")):
        content = document.resolved(document.resolved(responses[status]).get("content"))
        for kind, media in content.items():
            if "json" in kind or kind == "*/*":
                return document.resolved(media).get("schema")
    raise WrongUse("no answer in JSON is described")


def _record_shape(shape: Shape, found: Found) -> Shape:
    """The shape of one record."""
    for name in found.at:
        shape = shape.members.get(name, Shape("any"))
    return shape.items if shape.kind == "list" and shape.items else shape


def _params(document: Document, parameters: Sequence[Mapping[str, Any]]) -> list[Param]:
    found = []
    for said in parameters:
        if said.get("in") == "query":
            schema = document.resolved(said.get("schema"))
            param = Param(str(said["name"]), required=said.get("required") is True)
            found.append(_filled(param, schema, said))
    return found


def _filled(param: Param, schema: Mapping[str, Any], said: Mapping[str, Any]) -> Param:
    match param.role:
        case "start" | "end":
            forms = {"date-time": "rfc3339", "date": "date"}
            form = (
                "epoch"
                if schema.get("type") in ("integer", "number")
                else forms.get(str(schema.get("format")), "rfc3339")
            )
            return Param(param.name, None, form, param.required)
        case "size":
            most = schema.get("maximum", schema.get("default"))
            return Param(
                param.name, most if isinstance(most, int) and not isinstance(most, bool) and most > 0 else None
            )
        case "page":
            return Param(param.name, schema.get("minimum", schema.get("default")))
        case None if param.required:
            return _required(param, schema, said)
        case _:
            return param


def _required(param: Param, schema: Mapping[str, Any], said: Mapping[str, Any]) -> Param:
    """A parameter the source must be given: as the document's example says, for want of better."""
    words = schema.get("enum")
    choices = [
        said.get("example"),
        schema.get("example"),
        schema.get("default"),
        *(words if isinstance(words, list) else ()),
    ]
    value = next((one for one in choices if isinstance(one, str | int | float) and "{" not in str(one)), None)
    if value is None:
        return Param(param.name, "", note=look("required: which value?"))
    return Param(param.name, value, note=look("required: is this the value you want?"))

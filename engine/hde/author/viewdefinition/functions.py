"""FHIRPath's functions in JMESPath. Those that are true or false are in `conditions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hde.author.viewdefinition import code, types
from hde.author.viewdefinition.code import Code, child, first, literal_text
from hde.author.viewdefinition.syntax import Call, Literally, Node, Step
from hde.author.viewdefinition.translate import Translator, Unsayable, arguments, type_name


def _where(at: Translator, node: Call) -> Code:
    items = at.value(node.base) if node.base is not None else at.focus
    (criteria,) = arguments(node, 1)
    return code.filtered(items, at.inside(items).condition(criteria))


def _first(at: Translator, node: Call) -> Code:
    arguments(node, 0)
    return first(_base(at, node), -1 if node.name == "last" else 0)


def _of_type(at: Translator, node: Call) -> Code:
    (type_,) = arguments(node, 1)
    if node.base is None:
        raise Unsayable("ofType() needs something before it")
    return at.of_type(node.base, type_name(type_))


def _extension(at: Translator, node: Call) -> Code:
    (url,) = arguments(node, 1)
    base = _base(at, node)
    if base.type in types.PRIMITIVES:
        base = _beside(at, node.base)
    return code.filtered(child(base, "extension", "Extension", many=True), f"url == {at.value(url).text}")


def _beside(at: Translator, node: Node | None) -> Code:
    """What JSON has beside a primitive value: `birthDate` in `_birthDate`."""
    above = None if not isinstance(node, Step) else at.focus if node.base is None else at.value(node.base)
    if not isinstance(node, Step) or above is None or not at.value(node).is_one:
        raise Unsayable("extension() of the values of a list stands apart from them")
    return child(above, f"_{node.name}", "Element", many=False)


def _join(at: Translator, node: Call) -> Code:
    (separator,) = arguments(node, 1, least=0) or (Literally("", "string"),)
    items = code.listed(_base(at, node))
    return Code(f"{items.text} | ([0] && join({at.value(separator).text}, @))", "one", "string", loose=True)


def _count(at: Translator, node: Call) -> Code:
    arguments(node, 0)
    return Code(f"length({code.whole(_base(at, node))})", "one", "integer")


def _combine(at: Translator, node: Call) -> Code:
    (other,) = arguments(node, 1)
    base, more = _base(at, node), at.value(other)
    return Code(f"[{base.text}, {more.text}][][]", "each", base.type if base.type == more.type else None)


def _iif(at: Translator, node: Call) -> Code:
    criteria, *said = arguments(node, 3, least=2)
    values = [at.value(one) for one in said]
    type_ = values[0].type if all(one.type == values[0].type for one in values) else None
    text = " || ".join([f"({at.condition(criteria)}) && [{values[0].text}]", *(f"[{one.text}]" for one in values[1:])])
    if all(one.is_one for one in values):
        return Code(f"({text}) | [0]", "one", type_, loose=True)
    return Code(f"({text})[][]", "each", type_)


def _resource_key(at: Translator, node: Call) -> Code:
    """A key must equal those of references to it: `Patient/abc` is what they say."""
    arguments(node, 0)
    base = _base(at, node)
    if not base.is_one or base.text != code.FOCUS:
        raise Unsayable("getResourceKey() stands only at the start of a path")
    return Code("join('/', [resourceType, id])", "one", "string")


def _reference_key(at: Translator, node: Call) -> Code:
    given = arguments(node, 1, least=0)
    base = _base(at, node)
    if base.type not in ("Reference", None):
        raise Unsayable(f"getReferenceKey(): a {base.type} is no reference")
    at.notes.append("a reference's key is the reference as it is written: Patient/abc, without a server's address")
    if not given:
        return child(base, "reference", "string", many=False)
    starts = f"starts_with(reference || '', {literal_text(f'{type_name(given[0])}/')})"
    if base.is_one:
        inner = starts.replace("(reference", f"({child(base, 'reference', 'string', many=False).text}")
        return Code(f"({inner} && {child(base, 'reference', 'string', many=False).text} || `null`)", "one", "string")
    return child(code.filtered(base, starts), "reference", "string", many=False)


def _as_written(at: Translator, node: Call) -> Code:
    """trace(), and single(), which the engine checks wherever one value is wanted."""
    base = _base(at, node)
    return code.single(base) if node.name == "single" else base


def _all_of(at: Translator, node: Call) -> Code:
    """tail(): all but the first."""
    arguments(node, 0)
    base = _base(at, node)
    return Code(f"{code.whole(base)}[1:]", "each", base.type)


def _base(at: Translator, node: Call) -> Code:
    return at.focus if node.base is None else at.value(node.base)


FUNCTIONS: Mapping[str, Callable[[Translator, Call], Code]] = {
    "where": _where,
    "first": _first,
    "last": _first,
    "tail": _all_of,
    "single": _as_written,
    "trace": _as_written,
    "ofType": _of_type,
    "as": _of_type,
    "extension": _extension,
    "join": _join,
    "count": _count,
    "combine": _combine,
    "iif": _iif,
    "getResourceKey": _resource_key,
    "getReferenceKey": _reference_key,
}

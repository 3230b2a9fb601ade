"""JMESPath's syntax tree as Python source. The source holds names and constants' names, and nothing of the text.

A mapping is untrusted: every text and number of it is a constant `k0`, `k1`, ... that the code finds in its namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from hde.mapping import expression_tree as tree
from hde.mapping.expression_tree import Node
from hde.mapping.expression_values import NAMES, SHORTCUTS

_MOST_BLOCKS = 10
"""How deep blocks stand in one function before the rest moves to one of its own. Python's parser takes 20 loops."""

_SAYS_BOOLEAN: Final = ("comparator", "not_expression")


class Code:
    """Functions as they are written, line by line. What is computed once is not computed again in the same block."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(NAMES)
        self._texts: dict[str, str] = {}
        self._keys: dict[int, tuple[Node, Any]] = {}
        self._functions: list[str] = []
        self._lines: list[str] = []
        self._known: list[dict[Any, str]] = []
        self._count = 0

    @classmethod
    def too_large(cls, node: Node) -> str:
        """Why a tree is left to the reference; empty where it is not."""
        return tree.too_large(node, {name.removeprefix("_") for name in vars(cls)})

    @property
    def source(self) -> str:
        return "\n".join(self._functions)

    def run(self, name: str) -> Callable[..., Any]:
        """The written function of this name."""
        exec(compile(self.source, "<mapping>", "exec"), self.names)  # no builtins, and no text but our own
        return self.names[name]  # type: ignore[no-any-return]

    def constant(self, value: object) -> str:
        """The name of a constant."""
        if isinstance(value, str) and value in self._texts:
            return self._texts[value]
        name = f"k{len(self.names)}"
        self.names[name] = value
        if isinstance(value, str):
            self._texts[value] = name
        return name

    def fresh(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def line(self, text: str) -> None:
        self._lines.append("    " * len(self._known) + text)

    def let(self, value: str) -> str:
        """The name under which the value of a Python expression is kept."""
        name = self.fresh()
        self.line(f"{name} = {value}")
        return name

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(head)
        self._known.append({})
        yield
        self._known.pop()

    @contextmanager
    def function(self, name: str, arguments: str) -> Iterator[None]:
        """A function of its own; what is written inside belongs to it."""
        around = self._lines, self._known
        self._lines, self._known = [], []
        with self.block(f"def {name}({arguments}):"):
            yield
        self._functions.append("\n".join(self._lines))
        self._lines, self._known = around

    def read_ahead(self, paths: Iterable[tuple[str, ...]], root: str) -> None:
        """Read fields that are needed later, each object once: reading never fails, so it may be too early."""
        wanted: dict[str, Any] = {}
        for path in paths:
            below = wanted
            for name in path:
                below = below.setdefault(name, {})
        todo = [(root, wanted)]
        for at, below in todo:
            todo += list(zip(self._fields(at, list(below)), below.values(), strict=True))

    def _fields(self, at: str, fields: Sequence[str]) -> list[str]:
        """The names of some fields of one object: most objects have all that a mapping reads."""
        known = [self._find(self._key(tree.field(name)), at) for name in fields]
        missing = [name for name, found in zip(fields, known, strict=True) if found is None]
        if len(missing) < 2:
            return [self.value(tree.field(name), at) for name in fields]
        targets = {name: (self.fresh(), self.constant(name)) for name in missing}
        with self.block(f"if type({at}) is dict:"):
            for head, form in (("try:", "{} = {}[{}]"), ("except KeyError:", "{} = {}.get({})")):
                with self.block(head):
                    self.line("; ".join(form.format(target, at, text) for target, text in targets.values()))
        with self.block(f"elif {at} is None:"):
            self.line(" = ".join(target for target, _ in targets.values()) + " = None")
        with self.block("else:"):
            self.line("; ".join(f"{target} = field({at}, {text})" for target, text in targets.values()))
        for name, (target, _) in targets.items():
            self._known[-1][self._key(tree.field(name)), at] = target
        return [found or targets[name][0] for name, found in zip(fields, known, strict=True)]

    def value(self, node: Node, at: str) -> str:
        """Write what computes a tree for the value named `at`; the name of the result."""
        key = self._key(node)
        found = self._find(key, at)
        if found is None:
            found = self._in_function(node, at) if len(self._known) > _MOST_BLOCKS else self._write(node, at)
            self._known[-1][key, at] = found
        return found

    def _write(self, node: Node, at: str) -> str:
        write: Callable[[Node, str], str] = getattr(self, f"_{node['type']}")
        return write(node, at)

    def _in_function(self, node: Node, at: str) -> str:
        return self.let(f"{self._function_of(node)}({at})")

    def _function_of(self, node: Node) -> str:
        name = f"f{self.fresh()}"
        with self.function(name, "v"):
            self.line(f"return {self.value(node, 'v')}")
        return name

    def _find(self, key: object, at: str) -> str | None:
        return next((known[key, at] for known in reversed(self._known) if (key, at) in known), None)

    def _key(self, node: Node) -> Any:
        """Equal for trees that compute the same. Each node is held, so that no other gets its id."""
        if id(node) not in self._keys:
            children = [self._key(one) if isinstance(one, dict) else one for one in node["children"]]
            self._keys[id(node)] = node, (node["type"], repr(node.get("value")), *children)
        return self._keys[id(node)][1]

    def _current(self, node: Node, at: str) -> str:
        return at

    _identity = _current

    def _literal(self, node: Node, at: str) -> str:
        return self.constant(node["value"])

    def _field(self, node: Node, at: str) -> str:
        name = self.constant(node["value"])
        return self.let(f"{at}.get({name}) if type({at}) is dict else None if {at} is None else field({at}, {name})")

    def _subexpression(self, node: Node, at: str) -> str:
        for child in node["children"]:
            at = self.value(child, at)
        return at

    _pipe = _index_expression = _key_val_pair = _subexpression

    def _index(self, node: Node, at: str) -> str:
        index = node["value"]
        name, length = self.constant(index), self.constant(index + 1 if index >= 0 else -index)
        return self.let(f"{at}[{name}] if isinstance({at}, list) and len({at}) >= {length} else None")

    def _slice(self, node: Node, at: str) -> str:
        return self.let(f"{at}[{self.constant(slice(*node['children']))}] if isinstance({at}, list) else None")

    def _flatten(self, node: Node, at: str) -> str:
        return self.let(f"flattened({self.value(node['children'][0], at)})")

    def _projection(self, node: Node, at: str) -> str:
        base = self.value(node["children"][0], at)
        return self._projected(base, f"isinstance({base}, list)", node)

    def _value_projection(self, node: Node, at: str) -> str:
        base = self.let(f"entries({self.value(node['children'][0], at)})")
        return self._projected(base, f"{base} is not None", node)

    def _filter_projection(self, node: Node, at: str) -> str:
        base = self.value(node["children"][0], at)
        return self._projected(base, f"isinstance({base}, list)", node, node["children"][2])

    def _projected(self, base: str, test: str, node: Node, condition: Node | None = None) -> str:
        found, element = self.let("None"), self.fresh()
        with self.block(f"if {test}:"):
            self.line(f"{found} = []")
            with self.block(f"for {element} in {base}:"):
                if condition is not None:
                    # `continue`, because one block more is one step nearer to a function of its own
                    self.line(f"if not ({self._true(condition, element)}): continue")
                value = self.value(node["children"][1], element)
                self.line(f"if {value} is not None: {found}.append({value})")
        return found

    def _true(self, node: Node, at: str) -> str:
        """A Python expression for the truth of a tree. What is true in Python is true, and so is 0."""
        value = self.value(node, at)
        return value if node["type"] in _SAYS_BOOLEAN else f"{value} or is_true({value})"

    def _or_expression(self, node: Node, at: str) -> str:
        return self._either(node, at, "not ({})")

    def _and_expression(self, node: Node, at: str) -> str:
        return self._either(node, at, "{}")

    def _either(self, node: Node, at: str, test: str) -> str:
        left, right = node["children"]
        truth = self._true(left, at)
        found = self.let(self.value(left, at))
        with self.block(f"if {test.format(truth)}:"):
            self.line(f"{found} = {self.value(right, at)}")
        return found

    def _not_expression(self, node: Node, at: str) -> str:
        return self.let(f"negated({self.value(node['children'][0], at)})")

    def _comparator(self, node: Node, at: str) -> str:
        left, right = node["children"]
        one, other = self.value(left, at), self.value(right, at)
        sign = {"eq": "==", "ne": "!="}.get(node["value"])
        if sign is None:
            return self.let(f"{node['value']}({one}, {other})")
        if any(side["type"] == "literal" and isinstance(side["value"], str) for side in node["children"]):
            return self.let(f"{one} {sign} {other}")
        return self.let(f"{'equal' if sign == '==' else 'unequal'}({one}, {other})")

    def _expref(self, node: Node, at: str) -> str:
        return self.let(f"Expression({self._function_of(node['children'][0])})")

    def _function_expression(self, node: Node, at: str) -> str:
        values = [self.value(child, at) for child in node["children"]]
        takes, _ = SHORTCUTS.get(node["value"], (None, None))
        if takes == len(values) or (takes == -1 and values):
            return self.let(f"jp_{node['value']}({', '.join(values)})")
        return self.let(f"call({self.constant(node['value'])}, [{', '.join(values)}])")

    def _multi_select_list(self, node: Node, at: str) -> str:
        return self._unless_null(at, lambda: f"[{', '.join(self.value(child, at) for child in node['children'])}]")

    def _multi_select_dict(self, node: Node, at: str) -> str:
        def built() -> str:
            pairs = [(self.constant(child["value"]), self.value(child, at)) for child in node["children"]]
            return f"{{{', '.join(f'{name}: {value}' for name, value in pairs)}}}"

        return self._unless_null(at, built)

    def _unless_null(self, at: str, built: Callable[[], str]) -> str:
        found = self.let("None")
        with self.block(f"if {at} is not None:"):
            self.line(f"{found} = {built()}")
        return found

"""Texts somebody wrote to harm whoever reads them: each is a value or one of our own errors, soon and in little memory.

`HDE_SOAK` (tests/soak/README.md) repeats the random ones as often as it says.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hde.errors import HdeError
from hde.issues import Issue
from hde.mapping import expression, times, units
from hde.mapping.values import Finding
from hde.source.decoded import body_of
from hde.source.formats import KINDS
from hde.source.formats.shape import plain_path
from hde.source.values import Misfit
from hde.source.written_times import timed
from hde.spec.connector import Format
from hde.spec.formats import CHECKS
from hde.spec.template import compile_template
from hde.spec.yaml_file import parse_yaml

OURS = (HdeError, Finding, Misfit)
ROOM = 2 << 30
"""Bytes of address space for a text that wants gigabytes. What Python, its libraries and their threads map is in it."""

HOSTILE: dict[str, str] = {
    "a sum of texts": 'compile_template("{{ " + " + ".join(["a"] * 200) + " }}").value({"a": "x" * 900_000})',
    "a chain of texts": 'compile_template("{{ " + " ~ ".join(["a"] * 2400) + " }}").value({"a": "x" * 900_000})',
    "texts side by side": 'compile_template("{{ a }}" * 1200).value({"a": "x" * 900_000})',
    "a list of lists": """compile_template("{{ [" + "a," * 2400 + "] ~ '' }}").value({"a": [1] * 900_000})""",
    "lists joined": """compile_template("{{ [" + ",".join(["a"] * 2400) + "]|join }}").value({"a": [1] * 900_000})""",
    "a path that doubles a list": 'expression.compile("a" + "|[@,@][]" * 40)({"a": 1})',
    "a path that doubles a tree": 'str(expression.compile("a" + "|[@,@]" * 40)({"a": 1}))',
    "keys of a megabyte before many mistakes": 'yaml("? " + "k" * 500_000 + "\\n: [" + "01," * 100_000 + "1]")',
    "nothing but mistakes": 'yaml("- 01\\n" * 190_000)',
    "as many keys as fit": 'yaml("".join(f"k{n}: 1\\n" for n in range(90_000)))',
    "a laughing billion": 'yaml("a: &a [x, x]\\n" + "".join(f"b{n}: &b{n} [*a, *a]\\n" for n in range(9)))',
    "stars that could be anything": 'never(glob("*a" * 20 + "b").fullmatch("a" * 200))',
    "folders that could be anything": 'never(glob("**/a/" * 12 + "x").fullmatch("a/" * 100 + "y"))',
    "a bomb of entities": 'body_of(ENTITIES, Format("xml")).records("a")',
    "an entity from elsewhere": 'body_of(EXTERNAL, Format("xml")).records("a")',
    "a large value for every element": 'body_of(DEFAULTS, Format("xml")).records("a")',
    "a line for every column": 'body_of(WIDE, Format("csv")).records(None)',
}
PRELUDE = f"""
import resource, sys, tempfile
from pathlib import Path
from hde.errors import HdeError, Unreadable
from hde.mapping import expression
from hde.source.decoded import body_of
from hde.source.unpacking import glob
from hde.spec.connector import Format
from hde.spec.problem import Problems
from hde.spec.template import compile_template
from hde.spec.yaml_file import parse_yaml

ENTITIES = b'<!DOCTYPE r [<!ENTITY a "xx">' + b''.join(
    b'<!ENTITY a%d "&a%d;&a%d;">' % (n, n - 1, n - 1) for n in range(1, 40)) + b']><r><a>&a39;</a></r>'
EXTERNAL = b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><r><a>&a;</a></r>'
DEFAULTS = b'<!DOCTYPE r [<!ATTLIST a b CDATA "' + b'x' * 1_000_000 + b'">]><r>' + b'<a/>' * 100_000 + b'</r>'
WIDE = ','.join(f'n{{n}}' for n in range(9_000)).encode() + b'\\n' + b'1\\n' * 500_000

def yaml(text):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'x.yaml')
        file.write_text(text)
        problems = parse_yaml(file)[1]
    assert len(problems) < 200 and all(len(str(one)) < 1000 for one in problems), 'too much said'
    if problems:
        raise Problems(problems[-1:])

def never(found):
    if not found:
        raise HdeError('no match')

resource.setrlimit(resource.RLIMIT_AS, ({ROOM}, {ROOM}))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to an address space")
@pytest.mark.parametrize("what", HOSTILE)
def test_what_could_take_forever_or_all_memory_is_refused(what: str) -> None:
    script = (
        f"{PRELUDE}\ntry:\n    {HOSTILE[what]}\nexcept HdeError as error:\n    print(error)\nelse:\n    sys.exit(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) < 500
    assert done.stdout.count("\n") <= 2


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("template", "{{ a\n(\n)\n }}"),
        ("template", "{{ " + "a" * 9000 + "() }}"),
        ("template", "{{ x" + "\n" * 500 + " " * 500 + "{{"),
        ("template", "{{ " + "9" * 5000 + " }}"),
        ("template", "{{ 1e999 }}"),
        ("template", "{{ a.__class__.__mro__ }}"),
        ("template", "{{ ''['__cla\\x73s__'] }}"),
        ("template", "{{ cycler.__init__.__globals__ }}"),
        ("template", "{{ '{0.__class__}'.format(a) }}"),
        ("template", "{{ 'x' * 10000000000 }}"),
        ("template", "{{ range(10000000000) }}"),
        ("template", "{{ a | map(attribute='x') }}"),
        ("path", "x" * 5000 + "(a)"),
        ("path", "'" + "\n" * 5000),
        ("path", "a\n\n.\n\n("),
        ("path", "$" + "parent.$" * 20_000 + "x"),
        ("path", "a." * 200_000 + "a"),
        ("path", "(" * 5_000),
        ("path", "a[" + "9" * 5000 + "]"),
        ("path", "`" + "[" * 4_900 + "]" * 4_900 + "`"),
        ("strptime", "%Y-%m-%d %Y"),
        ("strptime", "%Y %b %d\n\n\n%q"),
        ("strptime", "%Y%m%d" + "(" * 4000),
        ("unit", "m" * 100),
        ("unit", "10*99999"),
        ("unit", "(" * 60),
        ("unit", "m\nm"),
        ("encoding", "x" * 5000),
        ("encoding", "zlib"),
        ("connector-name", 'x"; DROP SCHEMA meta; --'),
        ("connector-name", "../../etc/passwd"),
        ("connector-name", "x" * 64),
        ("connector-name", "pg_catalog"),
        ("span", "9" * 400 + "d"),
    ],
)
def test_what_is_hostile_is_refused_in_two_lines(read: str, text: str) -> None:
    more: dict[str, Callable[[str], object]] = {"strptime": times.pattern, "unit": lambda u: units.conversion(u, "s")}
    with pytest.raises(HdeError) as raised:
        (more | dict(CHECKS))[read](text)
    assert len(str(raised.value)) < 500
    assert str(raised.value).count("\n") <= 1


def test_a_text_that_no_address_can_hold_is_an_error_of_ours() -> None:
    for value in ("\ud800", 10**5000):
        with pytest.raises(HdeError):
            compile_template("/{{ a }}").render({"a": value}, as_segments=True)


def test_a_number_of_hundreds_of_digits_is_an_issue_where_a_span_or_an_offset_is_read() -> None:
    to_seconds = units.conversion("min", "s")
    for value in (10**400, "9" * 399):
        for read in (times.span, times.fixed):
            with pytest.raises(Finding):
                read(value, "a", to_seconds)


def test_a_path_that_joins_more_than_it_may_fails_that_record() -> None:
    document = {str(n) * 100: "x" for n in range(20_000)}
    with pytest.raises(expression.FAILURES):
        expression.compile("join(to_string(@), keys(@))")(document)


REPEATED = settings(
    max_examples=int(os.environ.get("HDE_SOAK", "0")) * 100 or 150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
_OF_TEMPLATES = "{{ }} {% # a . b [0] | int join upper ' \" ( ) + ~ - ** 9 1e999 none if else == , [ ] __class__ \\ é"
_OF_PATHS = "a . [ ] [] [*] * ? | || && ! == < ` ' \" & ( ) , : { } @ $ 1 -1 sum max_by join to_string 9999999"
_TEMPLATE = st.lists(st.sampled_from([*_OF_TEMPLATES.split(), "\n"]), max_size=14).map(" ".join)
_JMESPATH = st.lists(st.sampled_from(_OF_PATHS.split()), max_size=12).map("".join)
_YAML = st.lists(
    st.sampled_from(["a", ": ", "- ", "\n", "  ", "{", "}", "[", "]", "&x ", "*x", "!!python/object:os ", "'", '"', "|",
                     ">", "#", "? ", "<<", "0x", "1_0", "1e999", "---", "...", "%TAG", "\t", "\0", "\ufeff", ",", "é"]),
    max_size=20,
).map("".join)  # fmt: skip
_UNIT = st.text("mskg10*^/.()[]{}'%-9aLµ_ \n", max_size=14)
_TIME = st.text("0123456789-+:.TZPYMDHWs e%", max_size=30)
_DOCUMENT = {"a": [1, "x", None, {"a": {"b": [True, 1.5]}}], "b": "text", "1": {}}


def _never_another(read: Callable[[], object]) -> None:
    try:
        read()
    except OURS as error:
        said = str(error)
    else:
        said = ""
    assert len(said) < 2000


@seed(12)
@REPEATED
@given(st.one_of(_TEMPLATE, st.text(max_size=40).map(lambda text: "{{ " + text + " }}")))
def test_any_template_gives_a_value_or_an_error_of_ours(text: str) -> None:
    _never_another(lambda: compile_template(text).value({"a": _DOCUMENT, "b": ["x", 1]}))


@seed(12)
@REPEATED
@given(st.one_of(_JMESPATH, st.text(max_size=40)))
def test_any_path_gives_a_value_or_an_error_of_ours(text: str) -> None:
    def read() -> None:
        CHECKS["path"](text)
        if not text.startswith("$"):
            try:
                expression.compile(text)(_DOCUMENT)
            except expression.FAILURES:
                return

    _never_another(read)


@seed(12)
@REPEATED
@given(st.one_of(_YAML.map(str.encode), st.binary(max_size=60)))
def test_any_file_is_a_value_or_problems(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = Path(tmp_path_factory.getbasetemp(), "any.yaml")
    file.write_bytes(content)
    assert all(0 < len(str(problem)) < 2000 for problem in parse_yaml(file)[1])


@seed(12)
@REPEATED
@given(st.one_of(_UNIT, st.text(max_size=10)), st.sampled_from(["s", "m", "1", "Cel"]))
def test_any_unit_converts_or_is_an_error_of_ours(unit: str, target: str) -> None:
    _never_another(lambda: units.conversion(unit, target)(3.0))


@seed(12)
@REPEATED
@given(st.one_of(_TIME, st.integers(), st.floats(), st.text(max_size=20), st.booleans(), st.none()), _TIME)
def test_any_time_is_read_or_an_issue(value: object, pattern: str) -> None:
    to_seconds = units.conversion("h", "s")
    readings: list[Callable[[], object]] = [
        lambda: times.instant(value, "a"),
        lambda: times.day(value, "a"),
        lambda: times.epoch(value, "a", timedelta(milliseconds=1)),
        lambda: times.span(value, "a", to_seconds),
        lambda: times.fixed(value, "a", to_seconds),
        lambda: times.zone(value, "a"),
        lambda: times.time_of_day(value, "a"),
        lambda: times.pattern(pattern)(value, "a"),
        lambda: timed(pattern, lambda read: read)(value),
        lambda: timed("epoch", lambda read: read)(value),
    ]
    for read in readings:
        _never_another(read)


_ANSWERS = st.lists(
    st.sampled_from([b'{"a":', b"[", b"]", b"}", b",", b"1e999", b"9" * 400, b'"\\ud800"', b'"x"', b"null", b"\xff",
                     b"\n", b"\0", b"<a>", b"</a>", b"<r ", b'b="1"', b">", b"<!DOCTYPE r [", b"<![CDATA[", b"&lt;",
                     b"PK\x03\x04", b"\x1f\x8b\x08", b"\r", b'"', b" ", b"&x;"]),
    max_size=16,
).map(b"".join)  # fmt: skip


def test_a_line_that_cannot_be_read_stops_no_other() -> None:
    """Found by atheris: an expression on the whole answer met what is only set aside as a record."""
    assert body_of(b'{"a": 1}\n[1e5 \0\n{"a": 2}\n', Format("ndjson")).value("[].a") == [1, 2]


@seed(12)
@REPEATED
@given(st.one_of(_ANSWERS, st.binary(max_size=60)), st.sampled_from([*KINDS, "zip"]))
def test_any_answer_is_records_issues_or_an_error_of_ours(content: bytes, kind: str) -> None:
    format = Format("json", zip="*") if kind == "zip" else Format(kind)
    for path in (None, "a"):
        found: list[bytes | Issue] = []
        where = plain_path(path)
        assert where is not None
        _never_another(lambda: found.extend(body_of(content, format).records(path)))  # noqa: B023 - called at once
        _never_another(lambda: body_of(content, format).whole())
        if kind != "zip":
            _never_another(lambda: found.extend(KINDS[kind](io.BytesIO(content), format, where)))  # noqa: B023
        assert all(isinstance(record, bytes | Issue) for record in found)

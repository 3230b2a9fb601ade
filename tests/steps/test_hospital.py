"""The whole road from a hospital's sign-in to canonical rows, on simulated hospitals with the habits of real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hospitals_made import NOT_THERE, RESOURCES, SIGNS_IN, hospital, run, served, sign_in, stored
from run_made import ask, raw_hashes

from hde.sandbox import fhir
from hde.sandbox.exchange import Reply
from hde.sandbox.faults import Faults, Rule
from hde.sandbox.faults import answers as way
from hde.sandbox.faults import records as bad
from hde.sandbox.faults.case import Case, Fault

OBSERVATIONS = "*/Observation"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Callable[..., fhir.Sandbox]]:
    """Starts a hospital that ends with the test, and signs its patient in."""
    with ExitStack() as stack:

        def begin(**settings: object) -> fhir.Sandbox:
            sandbox = stack.enter_context(hospital(monkeypatch, **settings))
            sign_in()
            return sandbox

        yield begin


@pytest.mark.parametrize(("connector", "manners"), [
    ("fhir", "plain"), ("epic", "epic"), ("fhir", "oracle"), ("fhir-open", "open"), ("fhir-backend", "plain"),
])  # fmt: skip
def test_everything_that_is_granted_arrives_whole_and_again_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, database_url: str, connector: str, manners: str
) -> None:
    with hospital(monkeypatch, connector, manners=manners) as sandbox:
        if manners in SIGNS_IN:
            sign_in(connector)
        first = run(connector)
        assert first.code == 0, first.said
        for resource in RESOURCES:
            expected = {} if resource in NOT_THERE.get(manners, ()) else served(sandbox, resource)
            assert stored(database_url, resource, connector) == expected, resource
        schema = f"{connector.replace('-', '_')}_raw"
        before = raw_hashes(database_url, schema, tuple(RESOURCES))
        again = run(connector)
        assert again.code == 0, again.said
        assert {(one["new"], one["changed"]) for one in again.json["resources"]} == {(0, 0)}
        assert raw_hashes(database_url, schema, tuple(RESOURCES)) == before


def test_an_app_without_a_secret_signs_in_as_well(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    with hospital(monkeypatch) as sandbox:
        monkeypatch.setenv("FHIR_CLIENT_ID", fhir.PUBLIC_ID)
        monkeypatch.setenv("FHIR_CLIENT_SECRET", "")
        sign_in()
        sandbox.end_access()
        assert run().code == 0
        assert sandbox.refreshes == 1
        assert stored(database_url, "conditions") == served(sandbox, "conditions")


def test_where_an_app_without_a_secret_is_given_no_refresh_token_the_person_signs_in_again(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    with hospital(monkeypatch, manners="epic", days=200) as sandbox:
        monkeypatch.setenv("FHIR_CLIENT_ID", fhir.PUBLIC_ID)
        monkeypatch.setenv("FHIR_CLIENT_SECRET", "")
        sign_in()
        sandbox.end_access()
        found = run()
        assert (found.code, "run `hde auth fhir` to sign in" in found.err) == (3, True), found.said
        sign_in()
        assert run().code == 0
        assert stored(database_url, "conditions") == served(sandbox, "conditions")


def test_what_was_not_granted_is_said_and_never_taken_as_empty(start: Callable[..., fhir.Sandbox]) -> None:
    start(manners="epic")
    assert {one["resource"]: one["skipped"] for one in run().json["resources"] if one["skipped"]} == {
        "procedures": "skipped: 403"
    }


@dataclass(frozen=True)
class Ends:
    """Ends what is under way at the hospital with the first request for a later page."""

    name: ClassVar = "ends"
    what: Callable[[], None]
    done: list[str]

    def answer(self, case: Case) -> Reply:
        asks_on = {"sessionID", "_offset", "-pageContext"} & set(case.request.query)
        if asks_on and not self.done:
            self.done.append(case.request.path)
            self.what()
        return case.pass_on()


@pytest.mark.parametrize("manners", SIGNS_IN)
def test_a_token_that_ends_between_two_pages_is_renewed_and_nothing_is_lost(
    start: Callable[..., fhir.Sandbox], database_url: str, manners: str
) -> None:
    """Where a search's pages are of the token that began it, the search begins anew."""
    done: list[str] = []
    sandbox: list[fhir.Sandbox] = []
    faults = Faults([Rule(Ends(lambda: sandbox[0].end_access(), done), on=OBSERVATIONS)])
    sandbox.append(start(manners=manners, days=1200, faults=faults))
    found = run()
    assert (found.code, done != []) == (0, True), found.said
    assert sandbox[0].refreshes >= 1
    assert stored(database_url, "observations") == served(sandbox[0], "observations")


@pytest.mark.parametrize("status", [410, 404])
def test_a_search_whose_pages_are_gone_begins_anew(
    start: Callable[..., fhir.Sandbox], database_url: str, status: int
) -> None:
    done: list[str] = []
    sandbox: list[fhir.Sandbox] = []
    faults = Faults([Rule(Ends(lambda: sandbox[0].end_sessions(status), done), on=OBSERVATIONS)])
    sandbox.append(start(manners="epic", days=1200, faults=faults))
    found = run()
    assert (found.code, done != []) == (0, True), found.said
    assert stored(database_url, "observations") == served(sandbox[0], "observations")


@pytest.mark.parametrize("fault", [
    way.Status(503), way.Wait(seconds=0), way.Html(), way.BrokenBody(0.5), way.Expired(),
], ids=lambda fault: fault.name)  # fmt: skip
def test_what_fails_on_the_way_leaves_nothing_out(
    start: Callable[..., fhir.Sandbox], database_url: str, fault: object
) -> None:
    faults = Faults([Rule(fault, on="/fhir/[A-Z]*", chance=0.25, times=8)])
    sandbox = start(faults=faults)
    for _ in range(6):
        if run().code == 0:
            break
    assert run().code == 0
    for resource in RESOURCES:
        assert stored(database_url, resource) == served(sandbox, resource), resource


def test_what_changes_replaces_what_was_and_history_keeps_it(
    start: Callable[..., fhir.Sandbox], database_url: str
) -> None:
    sandbox = start()
    run()
    before = served(sandbox, "observations")
    sandbox.advance(days=30)
    after = served(sandbox, "observations")
    revised = {key for key in before if before[key] != after[key]}
    assert revised, "a month brings results that are final now, corrected, or withdrawn"
    found = run()
    assert (found.of("observations")["new"], found.of("observations")["changed"]) == (
        len(after) - len(before),
        len(revised),
    )
    assert stored(database_url, "observations") == after
    former = dict(ask(database_url, "SELECT payload->>'id', payload FROM fhir_raw.observations_history"))
    assert former == {key: before[key] for key in revised}


@pytest.mark.parametrize(("fault", "is_issue"), [
    (bad.WrongTypes(0.2, "resource.valueQuantity.value"), True),
    (bad.WrongTypes(0.2, "resource.status"), True),
    (bad.LongText(0.1, "resource.issued", characters=20_000), True),
    (bad.Nulls(0.2, "resource.effectiveDateTime"), False),
], ids=lambda value: f"{value.name}-{value.field}" if hasattr(value, "field") else "")  # fmt: skip
def test_exactly_the_bad_records_are_issues_and_the_others_as_they_would_be(
    start: Callable[..., fhir.Sandbox], database_url: str, fault: Fault, is_issue: bool
) -> None:
    faults = Faults([Rule(fault, on=OBSERVATIONS)])
    sandbox = start(days=300, faults=faults)
    found = run()
    spoiled = {entry["resource"]["id"] for entry in faults.memory.spoiled}
    assert len(spoiled) > 1
    assert found.code == (1 if is_issue else 0), found.said
    named = set(ask(database_url, "SELECT record FROM meta.issues"))
    unread = {key for key, body in served(sandbox, "observations").items() if body["status"] == "entered-in-error"}
    assert named | unread & spoiled == spoiled if is_issue else named == set()
    paths = {path.rpartition("[].")[2] for path in ask(database_url, "SELECT path FROM meta.issues")}
    assert paths == ({fault.field.removeprefix("resource.")} if is_issue else set())
    whole, there = served(sandbox, "observations"), stored(database_url, "observations")
    assert there.keys() == whole.keys()
    assert {key for key in whole if there[key] != whole[key]} == spoiled

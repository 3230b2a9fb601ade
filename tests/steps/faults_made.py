"""A simulated provider that fails by a schedule, and a run that is repeated until nothing is owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from run_made import another_database, ask, call, canonical_hashes, covered, keep_token, raw_hashes

from hde.sandbox import whoop
from hde.sandbox.faults import Faults, Rule, pages
from hde.sandbox.faults import answers as way
from hde.sandbox.whoop.member import USER_ID
from hde.store.database import as_url

API, TOKEN = "/developer/v2/*", "/oauth/oauth2/token"
SIGN_IN_NEEDED = 3
MOST_RUNS = 25
ON_THE_WAY = (
    way.Status(500), way.Status(502), way.Status(503), way.Status(504), way.Status(400), way.Status(410),
    way.Wait(seconds=0), way.Wait(header="X-RateLimit-Reset", seconds=0), way.Wait(says="date", seconds=0),
    way.Wait(says="past"), way.Wait(says="absurd"), way.Wait(says="nothing"), way.Wait(says="epoch"),
    way.Reset(), way.BrokenBody(0.01), way.BrokenBody(0.9), way.Lost(), way.Hang(0.02), way.Drip(0.02),
    way.Truncated(0.3), way.Truncated(0.99), way.Html(), way.ContentType(), way.Charset("utf-16"), way.Charset("cp037"),
    way.GzipBomb(2), way.Clock(hours=30), way.Clock(hours=-30), way.Expired(), pages.Duplicates(), pages.Changing(),
    pages.CursorLoop(), pages.CursorElsewhere(),
)  # fmt: skip
"""What the source's records survive, however it is mixed."""
AT_THE_TOKEN = (way.InvalidGrant(), way.Lost(), way.Reset(), way.Status(503), way.Html(), way.Truncated())


def schedule(seed: int) -> Faults:
    """Twelve faults with any requests of the first hundred, a run of bad luck, and now and then a bad refresh."""
    chance = Random(seed)
    rules = [Rule(chance.choice(ON_THE_WAY), on=API, nth=(chance.randint(1, 100),)) for _ in range(12)]
    rules.append(Rule(chance.choice(ON_THE_WAY), on=API, chance=0.2, times=6))
    rules.append(Rule(way.Expired(), on=API, nth=(chance.randint(2, 30),)))
    rules.append(Rule(chance.choice(AT_THE_TOKEN), on=TOKEN, nth=(chance.randint(1, 2),)))
    return Faults(rules, seed)


def everything(url: str) -> dict[str, object]:
    """What two ways to the same records must have in common."""
    return {"raw": raw_hashes(url), "canonical": canonical_hashes(url), "covered": covered(url), "issues": issues(url)}


def issues(url: str) -> list[object]:
    return sorted(ask(url, "SELECT raw_table, record, path, rule FROM meta.issues WHERE closed_at IS NULL"))


def rows_by_key(url: str, table: str, key: str) -> dict[str, str]:
    """By key what a record's row holds; who brought it and when is set aside."""
    schema, _, name = table.partition(".")
    columns = ask(
        url,
        "SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        " AND column_name NOT LIKE '\\_%%' AND column_name NOT IN ('mapping_hash', 'run_id', 'mapped_at') ORDER BY 1",
        schema,
        name,
    )
    return dict(ask(url, f"SELECT {key}::text, ROW({', '.join(columns)})::text FROM {table}"))


@contextmanager
def member(patch: pytest.MonkeyPatch, faults: Faults | None, *, days: int, now: datetime) -> Iterator[whoop.Sandbox]:
    """A simulated member whose connector is signed in; whatever fails is tried again at once."""
    plenty = {"requests_per_minute": 100_000, "requests_per_day": 100_000}
    with whoop.serve(days=days, now=now, faults=faults, **plenty) as sandbox:
        for name, value in {**sandbox.environment, "WHOOP_REQUESTS_PER_MINUTE": "100000"}.items():
            patch.setenv(name, value)
        patch.setenv("HDE_PATIENCE", "0.001")
        sign_in(sandbox)
        yield sandbox


@contextmanager
def undisturbed_run(server: str, home: Path, *, days: int, now: datetime, name: str = "undisturbed") -> Iterator[str]:
    """The database of a run that nothing disturbed."""
    with pytest.MonkeyPatch.context() as patch, another_database(as_url(server), name) as url:
        patch.setenv("HDE_HOME", str(home))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        patch.setenv("HDE_DATABASE_URL", url)
        with member(patch, None, days=days, now=now):
            found = call("run", "whoop")
        assert found.code == 0, found.said
        yield url


def sign_in(sandbox: whoop.Sandbox) -> None:
    keep_token(sandbox.sign_in(), account=str(USER_ID))


def run_until_done(sandbox: whoop.Sandbox, *arguments: str) -> Sequence[str]:
    """What each run said. Whoever is asked to sign in does; the next run follows whatever was not a success."""
    said: list[str] = []
    while len(said) < MOST_RUNS:
        found = call("run", "whoop", *arguments)
        said.append(found.said)
        assert "Traceback" not in found.said, found.said
        if found.code == 0:
            return said
        assert found.code in (1, SIGN_IN_NEEDED), found.said
        if found.code == SIGN_IN_NEEDED:
            sign_in(sandbox)
    raise AssertionError(f"not done after {MOST_RUNS} runs:\n{said[-1]}")


def three_days_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=3)

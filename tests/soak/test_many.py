"""The tests of faults and of kills with many seeds: HDE_SOAK of each (100), beginning at HDE_SOAK_FROM (1000)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from random import Random

import pytest
import test_faults
import test_killed
from faults_made import everything, three_days_ago, undisturbed_run

FIRST, MANY = int(os.environ.get("HDE_SOAK_FROM", "1000")), int(os.environ.get("HDE_SOAK", "100"))
SEEDS = range(FIRST, FIRST + MANY)


@pytest.fixture(scope="module")
def when() -> datetime:
    return three_days_ago()


@pytest.fixture(scope="module")
def of_faults(server: str, when: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with undisturbed_run(server, tmp_path_factory.mktemp("home"), days=test_faults.DAYS, now=when) as url:
        yield url


@pytest.fixture(scope="module")
def of_kills(server: str, when: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    with undisturbed_run(
        server, tmp_path_factory.mktemp("home"), days=test_killed.DAYS, now=when, name="unkilled"
    ) as url:
        yield everything(url)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_fails(
    seed: int, when: datetime, of_faults: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_faults.test_whatever_fails_on_the_way_the_end_is_the_same(seed, when, of_faults, database_url, monkeypatch)


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_instant(
    seed: int, when: datetime, of_kills: dict[str, object], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_killed.test_killed_at_any_instant_nothing_is_lost_and_nothing_stored_is_asked_for_again(
        seed, when, of_kills, database_url, monkeypatch
    )


@pytest.mark.parametrize("seed", SEEDS[: max(1, MANY // 10)])
def test_postgres_killed(
    seed: int, when: datetime, of_kills: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    instants = tuple(chance.randint(1, 25) for _ in range(3))
    test_killed.test_postgres_killed_under_a_run(instants, when, of_kills, monkeypatch)

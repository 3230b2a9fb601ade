"""A running hospital for a whole file of tests, and keys that sign in there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from counterparts_made import CLIENTS, REPOSITORY, Hospital, closed, generated, hospital, packed

sys.path.append(str(REPOSITORY / "tests" / "steps"))  # what tests of a run are made with


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The private key of each client, as a JWK in a file."""
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    for name, key in CLIENTS.items():
        found[name] = folder / f"{name}.json"
        found[name].write_text(json.dumps(key.as_dict(private=True)))
        os.chmod(found[name], 0o600)
    return found


@pytest.fixture(scope="session")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """With one of Synthea's people and three that conform to US Core, whose references are relative."""
    clients = {name: {"keys": [key.as_dict(private=False)]} for name, key in CLIENTS.items()}
    with hospital(tmp_path_factory.mktemp("ward"), clients) as running:
        running.load(closed(packed("synthea", "Luna60")[0]), *generated(3))
        running.group("alone", running.longest)
        running.group("all", *(one["id"] for one in running.all_of("Patient")))
        yield running

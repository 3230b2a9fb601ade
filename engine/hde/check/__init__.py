"""Holds what YAML files say against each other, the canonical model and recorded records. Never asks the network."""

from hde.check.fixtures import FixtureError, fixtures
from hde.check.reads import paths_read
from hde.check.record_paths import paths_in
from hde.check.source import check_paths, check_source

__all__ = ["FixtureError", "check_paths", "check_source", "fixtures", "paths_in", "paths_read"]

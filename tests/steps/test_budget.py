"""The source's limits are counted ahead, and shared by all processes that share an app."""

from __future__ import annotations

from pathlib import Path

from loopback_made import Source, write_connector
from run_made import counts, ended, ending, start

LIMIT, PERIOD = 8, 2.0
JITTER = 0.4  # seconds that a busy machine may take from counting a request to receiving it


def test_two_processes_share_one_limit(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha", parallel=8, http=f"  rate_limits: [{{requests: {LIMIT}, per: {PERIOD:.0f}s}}]")
    source.fill("alpha")
    with (
        ending(start("run", "made", MADE_KEY="first")) as first,
        ending(start("run", "made", MADE_KEY="second")) as second,
    ):
        assert [ended(process).code for process in (first, second)] == [0, 0]
    assert counts(database_url, "made_raw", "alpha")["alpha"] == 2 * len(source.records["alpha"])
    times = sorted(seen.at for seen in source.seen)
    assert len(times) > 2 * LIMIT, "not enough requests to see a limit"
    for index, at in enumerate(times):
        stretch = [other for other in times[index:] if other - at < PERIOD - JITTER]
        assert len(stretch) <= LIMIT

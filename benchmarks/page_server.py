"""Serves pre-built pages of sleep records, so that the server is never the bottleneck.

    python benchmarks/page_server.py --records 100000 --size 1000      prints its port, runs until killed

Pages are reached by `?cursor=N`; each holds `size` records and the next cursor. `--latency` delays every answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

ME = b'{"user_id": 10129}'


def records(count: int, seed: int = 7) -> list[bytes]:
    """Sleep records of about 900 bytes, three levels deep, one in a hundred without a score."""
    chance = random.Random(seed)
    first = datetime(2000, 1, 1, tzinfo=UTC)
    starts = (first + timedelta(hours=2 * number) for number in range(count))
    return [json.dumps(_record(chance, start, number)).encode() for number, start in enumerate(starts)]


def _record(chance: random.Random, start: datetime, number: int) -> dict[str, object]:
    def milli(low: int, high: int) -> int:
        return chance.randrange(low, high)

    record: dict[str, object] = {
        "id": str(uuid.UUID(int=chance.getrandbits(128))),
        "cycle_id": 93845 + number,
        "v1_id": None,
        "user_id": 10129,
        "created_at": _iso(start + timedelta(hours=9)),
        "updated_at": _iso(start + timedelta(hours=10)),
        "start": _iso(start),
        "end": _iso(start + timedelta(hours=1, minutes=chance.randrange(50))),
        "timezone_offset": "-05:00",
        "nap": False,
        "score_state": "SCORED",
    }
    if number % 100 == 99:
        return {**record, "score_state": "PENDING_SCORE"}
    record["score"] = {
        "stage_summary": {
            "total_in_bed_time_milli": milli(25_000_000, 35_000_000),
            "total_awake_time_milli": milli(500_000, 3_000_000),
            "total_no_data_time_milli": 0,
            "total_light_sleep_time_milli": milli(9_000_000, 18_000_000),
            "total_slow_wave_sleep_time_milli": milli(3_000_000, 8_000_000),
            "total_rem_sleep_time_milli": milli(3_000_000, 9_000_000),
            "sleep_cycle_count": milli(2, 7),
            "disturbance_count": milli(2, 20),
        },
        "sleep_needed": {
            "baseline_milli": milli(26_000_000, 29_000_000),
            "need_from_sleep_debt_milli": milli(0, 900_000),
            "need_from_recent_strain_milli": milli(0, 900_000),
            "need_from_recent_nap_milli": -milli(0, 90_000),
        },
        "respiratory_rate": round(chance.uniform(12, 19), 8),
        "sleep_performance_percentage": float(milli(50, 100)),
        "sleep_consistency_percentage": float(milli(50, 100)),
        "sleep_efficiency_percentage": round(chance.uniform(70, 99), 8),
    }
    return record


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def pages(texts: Sequence[bytes], size: int) -> list[bytes]:
    """Complete HTTP answers, one a page."""
    count = (len(texts) + size - 1) // size
    bodies = (
        b'{"records": [%s], "next_token": %s}'
        % (b", ".join(texts[at * size : (at + 1) * size]), b'"%d"' % (at + 1) if at + 1 < count else b"null")
        for at in range(count)
    )
    return [_answer(body) for body in bodies]


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(built: list[bytes], latency: float) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if latency:
                    await asyncio.sleep(latency)
                path = head.split(b" ", 2)[1]
                _, _, cursor = path.partition(b"cursor=")
                number = int(cursor.partition(b"&")[0] or 0)
                writer.write(_answer(ME) if path.startswith(b"/me") else built[number] if built else _answer(b"{}"))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(pages(records(arguments.records), arguments.size), arguments.latency))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()

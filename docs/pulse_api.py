"""The small source of docs/write-a-connector.md: `python docs/pulse_api.py [PORT]` serves it on this machine."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

READINGS = [
    {
        "id": number,
        "measured_at": f"2026-01-{number:02}T06:30:00Z",
        "heart_rate": 50 + number,
        "rmssd_ms": 40.5 + number,
        "skin_temp": round(91.22 + 0.18 * number, 2),
        "device": {"serial": "A-17", "battery": 100 - number},
    }
    for number in range(1, 8)
]


class Pulse(BaseHTTPRequestHandler):
    """Two paths: who asks, and their readings, a few at a time."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers.get("X-Api-Key") != "demo":
            self.reply(401, {"error": "the header X-Api-Key must say demo"})
        elif address.path == "/v1/readings":
            self.reply(200, page(asked))
        else:
            self.reply(404, {"error": "there is /v1/readings"})

    def reply(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def page(asked: dict[str, str]) -> dict[str, object]:
    """The readings from `from` to before `to`, `limit` of them after the cursor `after`."""
    found = [one for one in READINGS if asked.get("from", "") <= str(one["measured_at"]) < asked.get("to", "9999")]
    first, limit = int(asked.get("after", "0")), int(asked.get("limit", "3"))
    following = first + limit
    return {"readings": found[first:following], "next_cursor": str(following) if following < len(found) else None}


def main() -> None:
    """Serve until Ctrl-C."""
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8800), Pulse)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}/v1/readings\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()

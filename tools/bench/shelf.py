"""A shelf of an org's answers: `python -m tools.bench.shelf --port 9000 --folder F --org http://127.0.0.1:8090`.

What is asked for the first time is fetched from the org and kept on disk; what is asked again is sent from there, by
the kernel, with the Date it had. A load from a full shelf has no org beside it: the figure is about the one who loads.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_NOT_KEPT = frozenset({"connection", "transfer-encoding", "server", "keep-alive"})
_UNFINISHED = (b'"InProgress"', b'"UploadComplete"')


class Shelf:
    """Keep answers by what was asked."""

    def __init__(self, folder: Path, org: str) -> None:
        self._folder = folder
        self._org = urlsplit(org)
        self._lock = threading.Lock()
        self.fetched = 0
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Path:
        """Return where an answer lies: <path>.json its head, <path> its body."""
        key = hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()[:32]
        place = self._folder / key
        if not place.with_suffix(".json").exists():
            self._fetch(place, method, path, headers, body)
        return place

    def _fetch(self, place: Path, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        connection = http.client.HTTPConnection(self._org.hostname or "", self._org.port, timeout=600)
        draft = place.with_suffix(f".{threading.get_ident()}")
        try:
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            with draft.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
        finally:
            connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _NOT_KEPT}
        kept["Content-Length"] = str(draft.stat().st_size)
        draft.replace(place)
        with self._lock:
            self.fetched += 1
            place.with_suffix(".json").write_text(json.dumps({"status": answer.status, "headers": kept, "path": path}))


class _Reader(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shelf: Shelf

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        place = self.shelf.find(self.command, self.path, headers, body)
        head = json.loads(place.with_suffix(".json").read_text())
        lines = [f"HTTP/1.1 {head['status']} kept", *(f"{name}: {value}" for name, value in head["headers"].items())]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self.wfile.flush()
        if head["status"] not in (204, 304):
            with place.open("rb") as file:
                self.connection.sendfile(file)
        if head["status"] >= 500 or self._still_changes(head, place):
            place.with_suffix(".json").unlink(missing_ok=True)

    def _still_changes(self, head: dict[str, object], place: Path) -> bool:
        """Return whether the answer is the state of a job that has not ended: the next one is another."""
        if "/jobs/" not in str(head["path"]) or self.command != "GET" or place.stat().st_size > 10_000:
            return False
        return any(word in place.read_bytes() for word in _UNFINISHED)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def csv_pages(folder: Path) -> list[Path]:
    """Return the pages of Bulk results that lie on the shelf, in the order of their locators."""
    found: list[tuple[int, str, Path]] = []
    for head in folder.glob("*.json"):
        told = json.loads(head.read_text())
        if "/results" in told["path"] and told["status"] == 200:
            place = head.with_suffix("")
            found.append((place.stat().st_mtime_ns, told["path"], place))
    return [place for _, _, place in sorted(found)]


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.shelf", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--org", required=True)
    options = parser.parse_args()
    _Reader.shelf = Shelf(options.folder, options.org)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), _Reader)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()

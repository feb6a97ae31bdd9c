"""Speak to this installation's Airflow over its REST API: a call costs milliseconds, a CLI command six seconds."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from include.errors import SetupFailed

Json = dict[str, Any]


class AirflowRest:
    """Call the REST API as one user, with one token."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url.rstrip("/")
        # No proxy: it is this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        answer = self._call("POST", "/auth/token", {"username": user, "password": password})
        self._token = str(answer["access_token"])

    _token = ""

    def get(self, path: str) -> Json | None:
        """Return what a path of /api/v2 holds, or None when there is nothing of that name."""
        return self._call("GET", f"/api/v2{path}", missing_ok=True) or None

    def post(self, path: str, body: Json) -> Json:
        """Create something."""
        return self._call("POST", f"/api/v2{path}", body)

    def patch(self, path: str, body: Json) -> Json:
        """Change something."""
        return self._call("PATCH", f"/api/v2{path}", body)

    def _call(self, method: str, path: str, body: Json | None = None, *, missing_ok: bool = False) -> Json:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=content, method=method)
        request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=60) as answer:
                text = answer.read()
                return dict(json.loads(text)) if text else {}
        except urllib.error.HTTPError as error:
            if error.code == 404 and missing_ok:
                return {}
            words = error.read().decode(errors="replace")[:400]
            raise SetupFailed(f"Airflow answered {error.code} to {method} {path}: {words}") from error
        except (urllib.error.URLError, OSError) as error:
            raise SetupFailed(f"Airflow at {self._url} does not answer: {error}") from error


def quoted_path(name: str) -> str:
    """Return an id as a part of a path; run ids hold colons and plus signs."""
    return urllib.parse.quote(name, safe="")

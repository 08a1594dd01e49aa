"""An integrator's server, as small as it can be: a base URL and a key."""

from collections.abc import Mapping
from typing import Any

import httpx


class Refused(Exception):
    """The API said no; the text is its own."""


class Client:
    """Calls the API with one key and expects success."""

    def __init__(self, base_url: str, key: str) -> None:
        """Keep one connection open, as a server would."""
        self._http = httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def call(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """Send JSON and return the decoded answer. Raises Refused on any status but success."""
        answer = self._http.request(method, path, json=body, headers=dict(headers or {}))
        if not answer.is_success:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def get(self, path: str) -> Any:
        """GET."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """POST."""
        return self.call("POST", path, body)

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

"""How keys and preferences are described in the API description."""

from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from apps.operators.preferences import Preferences

BEARER = {"type": "http", "scheme": "bearer"}


class _Key(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A key as a bearer token or in a header of its own: either will do."""

    header = ""
    about = ""

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {**BEARER, "description": self.about},
            {"type": "apiKey", "in": "header", "name": self.header, "description": self.about},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{name: []} for name in self.name]


class OperatorKeyScheme(_Key):  # type: ignore[no-untyped-call]
    """Operator keys."""

    target_class = "apps.operators.api.access.OperatorKey"
    name = ["operatorKey", "operatorKeyHeader"]
    header = "X-API-Key"
    about = "An operator key: sk_live_… or pk_…:sk_…"


class InternalKeyScheme(_Key):  # type: ignore[no-untyped-call]
    """Internal keys."""

    target_class = "apps.operators.api.access.InternalKey"
    name = ["internalKey", "internalKeyHeader"]
    header = "X-Internal-Api-Key"
    about = "An internal key of a game platform: internal_…"


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace references by what they refer to, and say "or null" and "nothing is required" as OpenAPI 3.0 does."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    choices = node.get("anyOf", [])
    if {"type": "null"} in choices:
        (other,) = [choice for choice in choices if choice != {"type": "null"}]
        rest = {name: value for name, value in node.items() if name != "anyOf"}
        return {**rest, **_inlined(other, definitions), "nullable": True}
    kept = {name: value for name, value in node.items() if name != "title" and (name, value) != ("required", [])}
    return {name: _inlined(value, definitions) for name, value in kept.items()}


def _preferences_schema() -> dict[str, Any]:
    whole = msgspec.json.schema(Preferences, ref_template="#/$defs/{name}")
    described: dict[str, Any] = _inlined({"$ref": whole["$ref"]}, whole["$defs"])
    return described


PREFERENCES = _preferences_schema()

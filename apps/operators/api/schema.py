"""How keys are described in the API description."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

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

"""The API description: what every call shares, so that no view has to say it."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.api.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET

PAGE_PARAMETERS = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
    OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}),
]


@extend_schema_serializer(component_name="Page")
class PaginationOut(CamelSerializer):
    """Where a page stands in its list."""

    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    has_more = serializers.BooleanField()


ERROR_SCHEMA = {
    "type": "object",
    "description": "Every error has this body (operators.md 10).",
    "required": ["success", "error", "message", "code", "request_id"],
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object", "additionalProperties": True},
                "hint": {"type": "string"},
            },
        },
        "message": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
ERRORS = {
    "400": "Invalid request parameters",
    "401": "Invalid or missing API key",
    "403": "Insufficient permissions",
    "404": "Not found",
    "405": "Method not allowed",
    "409": "Conflict",
    "413": "Body too large",
    "415": "Not JSON",
    "429": "Rate limit exceeded",
    "500": "Server error",
}
WRITES = frozenset({"post", "put", "patch", "delete"})
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    "description": "The same key with the same request gives the first answer again, for 24 hours.",
}


def each_call_once(endpoints: list[tuple[Any, ...]], **_: Any) -> list[tuple[Any, ...]]:
    """Leave one mount of each call (operators.md 1.1 names up to three), without the optional slash at its end.

    A call at the root that is also below `/api` or `/developers-api` is described there (rooms.md 1, rumble.md 1).
    """
    elsewhere = ("/api/api/", "/api/internal/", "/api/schema", "/api/docs")
    paths = {endpoint[0] for endpoint in endpoints}
    return [
        (endpoint[0].rstrip("/"), *endpoint[1:])
        for endpoint in endpoints
        if not endpoint[0].startswith(elsewhere)
        and (
            endpoint[0].startswith(("/api/", "/internal/"))
            or not {f"{mount}{endpoint[0]}" for mount in ("/api", "/developers-api")} & paths
        )
    ]


def errors_everywhere(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every call the errors that any call may answer with, and every write its Idempotency-Key.

    A call that describes its own 500 belongs to a dialect with another error body, and has all of its errors already.
    """
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for operations in result.get("paths", {}).values():
        for method, operation in operations.items():
            if "500" not in operation["responses"]:
                for status, text in ERRORS.items():
                    operation["responses"].setdefault(status, {"description": text, "content": answer})
            if method in WRITES:
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return result

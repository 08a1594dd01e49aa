"""How calls of this dialect are described."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

F = TypeVar("F", bound=Callable[..., Any])
TOURNAMENTS = "Tournaments"
CONTAINERS = "Escrow containers"
USERS = "Users"
ANY_OBJECT = {"type": "object", "additionalProperties": True}
# Amounts, percentages and scores are numbers on the wire, and exact.
NUMBER = {"type": "number"}


def shape(name: str, /, **fields: Any) -> Any:
    """Return a serializer that only describes: fields under the names they have on the wire."""
    return inline_serializer(name, fields)


def several(name: str, /, **fields: Any) -> Any:
    """Describe a list of objects."""
    return inline_serializer(name, fields, many=True)


def number(**more: Any) -> serializers.FloatField:
    """Describe a number; only described: the answer writes it exactly."""
    return serializers.FloatField(**more)


ERROR = shape(
    "RumbleError",
    statusCode=serializers.IntegerField(),
    message=serializers.CharField(),
    error=serializers.CharField(required=False, help_text="The status in words; missing on 401."),
)
ERRORS = {
    400: "Not acceptable",
    401: "Missing, wrong or revoked credentials",
    403: "Not allowed",
    404: "Unknown, or another application's",
    405: "Method not allowed",
    409: "Refused in the present state",
    413: "Body larger than 1 MiB",
    429: "Too many calls; see Retry-After",
    500: "Server error",
}


def describe(
    operation_id: str,
    summary: str,
    answers: Mapping[int, Any],
    *,
    tag: str = TOURNAMENTS,
    request: Any = None,
    parameters: list[OpenApiParameter] | None = None,
    sends: Mapping[str, Any] | None = None,
) -> Callable[[F], F]:
    """Describe a call: what it answers, and the errors that any call may answer with."""
    responses: dict[int, Any] = dict(answers)
    responses |= {status: OpenApiResponse(ERROR, description=text) for status, text in ERRORS.items()}
    examples = [OpenApiExample("Request", value=dict(sends), request_only=True)] if sends is not None else []
    described: Callable[[F], F] = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        request=request,
        parameters=parameters or [],
        responses=responses,
        examples=examples,
    )
    return described


NOTHING = OpenApiResponse(description="Done")

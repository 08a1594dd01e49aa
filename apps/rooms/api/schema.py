"""How calls of the room dialect are described: the three headers, the error body, and one way to describe a call."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

F = TypeVar("F", bound=Callable[..., Any])
TAG = "rooms"

HEADERS = {
    "gameKey": ("apikey", "The game's API key."),
    "gameSignature": (
        "signature",
        "Lower-case hex of HMAC-SHA256 over timestamp and body as sent ({} if none), keyed with the secret's text.",
    ),
    "gameTimestamp": ("timestamp", "The current Unix time in milliseconds; at most five minutes off."),
}


class GameKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Game keys: three headers, all of them."""

    target_class = "apps.rooms.api.access.GameKey"
    name = list(HEADERS)

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """Return one scheme per header."""
        return [
            {"type": "apiKey", "in": "header", "name": header, "description": about}
            for header, about in HEADERS.values()
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """Return all three together."""
        return {name: [] for name in HEADERS}


class MaybeGameKeyScheme(GameKeyScheme):  # type: ignore[no-untyped-call]
    """The same headers, or none of them."""

    target_class = "apps.rooms.api.access.MaybeGameKey"
    priority = 1

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:  # type: ignore[override]
        """Return the three, or nothing."""
        return [{name: [] for name in HEADERS}, {}]


def shape(name: str, /, **fields: Any) -> serializers.Serializer[Any]:
    """Return a serializer that only describes: fields under the names they have on the wire."""
    described: serializers.Serializer[Any] = inline_serializer(name, fields)
    return described


def error_shape(name: str, /, **fields: Any) -> serializers.Serializer[Any]:
    """Return the description of a refusal that says more than every refusal does."""
    return shape(
        name,
        error=serializers.CharField(help_text="What is wrong, for people."),
        errors=serializers.ListField(child=serializers.CharField(), help_text="The same, one text per entry."),
        code=serializers.CharField(help_text="What is wrong, for programs."),
        hint=serializers.CharField(required=False, help_text="What to do about it."),
        **fields,
    )


ERROR = error_shape("RoomError")
ERRORS = {
    400: "Refused",
    401: "Not authenticated, or a player did not consent",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "The Idempotency-Key was used for another request",
    413: "Body larger than 1 MiB",
    429: "Too many calls; see Retry-After",
    500: "Server error",
}


def describe(
    operation_id: str,
    summary: str,
    answer: Any,
    *,
    request: Any = None,
    parameters: tuple[Any, ...] = (),
    errors: Mapping[int, Any] | None = None,
    sends: Mapping[str, Any] | None = None,
    gets: Mapping[str, Any] | None = None,
    tag: str = TAG,
    public: bool = False,
) -> Callable[[F], F]:
    """Describe a call of this dialect: what it answers with 200, and the errors that any call may answer with.

    `errors` replaces or adds answers by status. `sends` and `gets` are an example of its body and of its answer.
    `public` calls need no key.
    """
    done = answer if isinstance(answer, OpenApiResponse) else OpenApiResponse(answer, description="Done")
    responses: dict[int, Any] = {200: done}
    responses |= {status: OpenApiResponse(ERROR, description=text) for status, text in ERRORS.items()}
    responses |= dict(errors or {})
    examples = []
    if sends is not None:
        examples.append(OpenApiExample("Request", value=dict(sends), request_only=True))
    if gets is not None:
        examples.append(OpenApiExample("Answer", value=dict(gets), response_only=True, status_codes=["200"]))
    described: Callable[[F], F] = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        request=request,
        parameters=list(parameters),
        responses=responses,
        examples=examples,
        # Spelled out, because the description knows each header by one class of authentication only.
        auth=[{name: [] for name in HEADERS}, {}] if public else None,  # type: ignore[list-item]
    )
    return described

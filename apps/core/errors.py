"""Rules that say no. A dialect turns these into its own status and body; nothing else is ever shown to a caller."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

Kind = Literal["invalid", "unauthenticated", "forbidden", "not_found", "conflict", "unavailable"]


class DomainError(Exception):
    """A rule said no. The message is fit to show to the person who asked, and nothing was changed.

    `code` is stable and for machines, `message` and `hint` are for people, `details` carries what a client needs
    to recover. `kind` is the family of the refusal; each dialect owns the mapping from family to HTTP status.
    """

    kind: ClassVar[Kind] = "conflict"
    code: ClassVar[str] = "CONFLICT"
    hint: ClassVar[str] = ""

    def __init__(self, message: str = "", **details: Any) -> None:
        """Keep the text for people and the details for machines; the class docstring is the default text."""
        self.message = message or (self.__doc__ or self.code).strip().splitlines()[0]
        self.details: Mapping[str, Any] = details
        super().__init__(self.message)


class Invalid(DomainError):
    """The request is not well formed."""

    kind = "invalid"
    code = "VALIDATION_ERROR"


class NotFound(DomainError):
    """There is no such object for this caller."""

    kind = "not_found"
    code = "NOT_FOUND"

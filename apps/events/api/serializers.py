"""What a reader of the stream may ask, and what it gets."""

from typing import Any

from rest_framework import serializers

from apps.events.services.endpoints import PATTERN

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_TYPES = 50
LARGEST_SEQUENCE = 2**63 - 1


class TypesField(serializers.CharField):
    """A comma list of types and prefixes, as a list."""

    default_error_messages = {
        "type": "{value!r} is no event type: write names such as tournament.started or prefixes such as tournament.*",
        "many": "More than {most} types.",
    }

    def to_internal_value(self, data: Any) -> Any:
        """Split and check; nothing at all means every type."""
        text = super().to_internal_value(data)
        if not text.strip():
            return []
        types = [part.strip() for part in text.split(",")]
        if len(types) > MAX_TYPES:
            self.fail("many", most=MAX_TYPES)
        for given in types:
            if not PATTERN.match(given):
                self.fail("type", value=given)
        return types


class EventQuery(serializers.Serializer[Any]):
    """Which stretch of the stream to read."""

    after = serializers.IntegerField(
        default=0, min_value=0, max_value=LARGEST_SEQUENCE, help_text="The last sequence you have; 0 is the beginning."
    )
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    types = TypesField(
        required=False,
        allow_blank=True,
        max_length=4000,
        help_text="Names or prefixes, comma separated: `tournament.started,player.*`. Empty: every type.",
    )


class EventOut(serializers.Serializer[Any]):
    """One event: the envelope of every transport, and its number in the operator's stream."""

    eventType = serializers.CharField()  # noqa: N815 - the wire's spelling
    eventId = serializers.CharField(help_text="The same on every transport.")  # noqa: N815
    timestamp = serializers.DateTimeField()
    tournamentId = serializers.CharField(allow_null=True)  # noqa: N815
    operatorId = serializers.CharField()  # noqa: N815
    data = serializers.DictField()  # type: ignore[assignment]  # declared fields leave the class
    sequence = serializers.IntegerField(min_value=1, help_text="Counts up by one, without gaps, per operator.")


class EventsOut(serializers.Serializer[Any]):
    """A stretch of the stream."""

    events = EventOut(many=True)
    lastSequence = serializers.IntegerField(  # noqa: N815
        min_value=0, help_text="Everything up to here has been looked at: ask again with after={lastSequence}."
    )
    hasMore = serializers.BooleanField(  # noqa: N815
        help_text="There is more to read at once, even if this page holds few events of the types you asked for."
    )

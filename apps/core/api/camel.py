"""Our own endpoints: camelCase out, camelCase or snake_case in (podium.md)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api.spellings import canonical


def camel(name: str) -> str:
    """Spell a Python name as JSON does: `display_name` → `displayName`."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


class CamelSerializer(serializers.Serializer[Any]):
    """A serializer whose fields are written in Python's spelling and travel in camelCase."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields under the names they have on the wire."""
        fields = {}
        for name, field in super().get_fields().items():
            if camel(name) != name and field.source is None:
                field.source = name
            fields[camel(name)] = field
        return fields

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Return the validated body under Python's names; what was not given is absent, unless it has a default.

        Raises ValidationError (400, by field) and Invalid for two spellings that disagree.
        """
        return cls.read_body(request.data)

    @classmethod
    def read_body(cls, body: Any) -> dict[str, Any]:
        """Return the same of a body that somebody else has read."""
        names = [name for name in cls._declared_fields if isinstance(name, str)]
        spelled = canonical(body, {camel(name): [name] for name in names if camel(name) != name} | _same(names))
        reader = cls(data=spelled)
        reader.is_valid(raise_exception=True)
        validated: Mapping[str, Any] = reader.validated_data
        return dict(validated)


def _same(names: list[str]) -> dict[str, list[str]]:
    return {name: [] for name in names if camel(name) == name}

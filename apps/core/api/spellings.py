"""One field, many spellings: a client may write any of them, the domain knows one."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import Invalid

Aliases = Mapping[str, Sequence[str]]


class Missing:
    """No spelling of the field was given (null is a value)."""


def _dig(data: Mapping[str, Any], path: str) -> Any:
    """Follow a dotted path; a step through anything but an object finds nothing."""
    value: Any = data
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return Missing
        value = value[step]
    return value


def canonical(data: Any, aliases: Aliases) -> dict[str, Any]:
    """Return `data` under canonical names. Unknown fields are dropped.

    Raises Invalid when `data` is no object, or when two spellings of one field carry different values.
    """
    if not isinstance(data, Mapping):
        raise Invalid("The body must be a JSON object.", fields={"body": ["Expected an object."]})
    found: dict[str, Any] = {}
    for name, others in aliases.items():
        given = [(path, _dig(data, path)) for path in (name, *others)]
        values = [(path, value) for path, value in given if value is not Missing]
        if not values:
            continue
        if any(value != values[0][1] for _, value in values[1:]):
            spelled = ", ".join(path for path, _ in values)
            raise Invalid("Two spellings disagree.", fields={name: [f"Different values in {spelled}."]})
        found[name] = values[0][1]
    return found

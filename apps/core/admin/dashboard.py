"""The first page: panels that the areas contribute, each narrowed to what the person sees."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of the first page: a template and what it shows. `wide` takes the whole row."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    wide: bool = False
    more: tuple[str, str] | None = None


Maker = Callable[[HttpRequest], Panel | None]

_makers: list[tuple[int, Maker]] = []


def panel(order: int) -> Callable[[Maker], Maker]:
    """Put a function's panel on the first page; lower `order` comes first. None leaves it out."""

    def register(maker: Maker) -> Maker:
        _makers.append((order, maker))
        return maker

    return register


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the first page; named in the settings as the theme's callback."""
    made = (maker(request) for _, maker in sorted(_makers, key=lambda pair: pair[0]))
    context["panels"] = [one for one in made if one is not None]
    context["title"] = "Overview"
    return context

"""Facts and the stream they are numbered in."""

from apps.events.models.facts import Fact, Stream

__all__ = ["Fact", "Stream"]

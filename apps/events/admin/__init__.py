"""Admin pages of events: the facts, where they go, and how they got there."""

from apps.events.admin import deliveries, endpoints, facts, overview, queues

__all__ = ["deliveries", "endpoints", "facts", "overview", "queues"]

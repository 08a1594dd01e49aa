"""The events that somebody wants, as they are typed."""

from typing import Any

from django import forms


class PatternsField(forms.CharField):
    """Types and prefixes, one a line or with commas; the service knows which make sense."""

    def __init__(self, **options: Any) -> None:
        """Two lines are enough for most."""
        usual: dict[str, Any] = {
            "widget": forms.Textarea(attrs={"rows": 3}),
            "help_text": "* for all, or tournament.*, player.registered … one a line.",
        }
        super().__init__(**(usual | options))

    def clean(self, value: Any) -> Any:
        """Return a list."""
        return (super().clean(value) or "").replace(",", " ").split()

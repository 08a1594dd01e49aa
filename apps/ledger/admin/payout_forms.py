"""What staff are asked for when they decide about payouts."""

from django import forms

from apps.core.admin import ReasonForm


class NoteForm(ReasonForm):
    """How it was paid."""

    reason = None  # type: ignore[assignment]
    note = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="How it was paid: the bank's reference, the cashier's name. Kept with the payout.",
    )


class AddressForm(ReasonForm):
    """Where payouts go."""

    url = forms.URLField(max_length=500, label="Address", assume_scheme="https")

    field_order = ("url", "reason")

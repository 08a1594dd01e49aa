"""The one door to the admin's theme: nothing else imports unfold, so that another theme is one file's work."""

from typing import Any

from django import forms
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
    TextFilter,
)
from unfold.decorators import display
from unfold.views import ChangeList
from unfold.widgets import (
    INPUT_CLASSES,
    SELECT_CLASSES,
    SWITCH_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminFileFieldWidget,
)

__all__ = [
    "ChangeList",
    "ChoicesDropdownFilter",
    "DropdownFilter",
    "ModelAdmin",
    "MomentInput",
    "RangeDateFilter",
    "RelatedDropdownFilter",
    "TextFilter",
    "display",
    "dress",
]


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of date and time, to the minute. What is typed is UTC, as everything in Podium."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Let the browser offer minutes, not seconds."""
        super().__init__(attrs={"step": "60", **(attrs or {})}, format="%Y-%m-%dT%H:%M")


def dress(form: forms.BaseForm) -> None:
    """Give the fields of a plain form the theme's look. Their widgets stay what they are, but for times."""
    for field in form.fields.values():
        if isinstance(field, forms.DateTimeField):
            field.widget = MomentInput(field.widget.attrs)
        if isinstance(field, forms.ModelChoiceField):
            field.empty_label = "Choose"
        if isinstance(field, forms.FileField):
            # The theme's script looks for the parts of its own widget.
            field.widget = UnfoldAdminFileFieldWidget(field.widget.attrs)
            continue
        widget = field.widget
        match widget:
            case forms.CheckboxSelectMultiple():
                classes = ["pd-checks"]
            case forms.CheckboxInput():
                classes = SWITCH_CLASSES
            case forms.Select():
                classes = SELECT_CLASSES
                widget.template_name = "unfold/widgets/select.html"
            case forms.Textarea():
                classes = TEXTAREA_CLASSES
            case _:
                classes = INPUT_CLASSES
        widget.attrs["class"] = " ".join([*classes, widget.attrs.get("class", "")]).strip()

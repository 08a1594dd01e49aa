"""Buttons on pages and lists: every operation has an address, asks before it acts, and acts once."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.core import clock
from apps.core.admin import operations as ops
from apps.core.admin.access import TenantAccess
from apps.core.admin.contributions import added_operations
from apps.core.admin.operations import Operation, OperationForm, Preview
from apps.core.errors import DomainError


class Buttons(TenantAccess):
    """Runs operations on one row, on several, and on none yet (`creation`). Stands before Django's ModelAdmin."""

    operations: tuple[Operation, ...] = ()
    # How a new row comes to be, when it takes a service and not a form over the table.
    creation: Operation | None = None

    admin_site: Any
    get_object: Callable[..., Any]
    log_addition: Callable[..., Any]
    log_change: Callable[..., Any]
    _get_obj_does_not_exist_redirect: Callable[..., Any]

    def offered(self, request: HttpRequest, row: Any) -> list[Operation]:
        """Return the buttons of a row: what its state allows and the person may; those that can't be undone last."""
        found = [one for one in self.all_operations() if one.is_offered(row) and self.may(request, one.permission, row)]
        return sorted(found, key=lambda one: one.danger)

    def all_operations(self) -> tuple[Operation, ...]:
        """Return this page's operations and those that areas above add to it."""
        return (*self.operations, *added_operations(self.opts.label_lower))

    def get_urls(self) -> list[URLPattern]:
        """Give every operation an address."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        own = [
            path("bulk/<slug:name>/", view(self.bulk_view), name=f"{name}_bulk"),
            path("<path:object_id>/do/<slug:name>/", view(self.operation_view), name=f"{name}_operation"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def operation_url(self, row: Model, operation: Operation) -> str:
        """Return the address of an operation on a row."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_operation"
        return reverse(name, args=[row.pk, operation.name])

    def operation_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """GET asks and shows the dry run; POST does it."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        operation = next((one for one in self.all_operations() if one.name == name), None)
        if operation is None or not self.may(request, operation.permission, row):
            raise PermissionDenied
        if request.method == "POST" and _is_spent(request):
            return self._already_done(request, self._page_of(row))
        if not operation.is_offered(row):
            messages.warning(request, f"{operation.label} is not possible any more: its state has changed.")
            return HttpResponseRedirect(self._page_of(row))
        return self._operate(request, operation, row)

    def _operate(self, request: HttpRequest, operation: Operation, row: Any) -> HttpResponse:
        form = operation.form(request.POST or None, request.FILES or None, request=request, row=row)
        self._offer_operators(request, form, operation)
        if request.method != "POST" or not form.is_valid():
            return self._ask(request, operation, row, form)
        ticket = form.cleaned_data["ticket"]
        if not ops.take_ticket(request, ticket):
            return self._already_done(request, self._page_of(row))
        arguments = form.arguments()
        try:
            which = () if row is None else (row.pk,)
            answer = operation.run(*which, actor=ops.actor_of(request), at=clock.now(), **operation.passed(arguments))
        except DomainError as refusal:
            ops.give_back_ticket(request, ticket)
            form.add_error(None, _told(refusal))
            return self._ask(request, operation, row, form)
        except Exception:
            ops.give_back_ticket(request, ticket)
            raise
        return self._conclude(request, operation, row, answer, form)

    def _conclude(
        self, request: HttpRequest, operation: Operation, row: Any, answer: Any, form: OperationForm
    ) -> HttpResponse:
        """Log what was done, say so, and go on: to the row's page, or to the one showing of a secret."""
        text = ops.log_text(operation, form)
        if row is None:
            row = self.created(answer)
            self.log_addition(request, row, text)
        else:
            self.log_change(request, row, text)
        if operation.reveal:
            return self._reveal(request, operation, row, answer)
        messages.success(request, operation.said(answer))
        return HttpResponseRedirect(self._page_of(None if operation.removes else row))

    def created(self, answer: Any) -> Model:
        """Return the new row out of what the creating service answered."""
        return answer  # type: ignore[no-any-return]

    def _reveal(self, request: HttpRequest, operation: Operation, row: Any, answer: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": operation.label,
            "row": row,
            "answer": answer,
            "back": self._page_of(row),
        }
        response = TemplateResponse(request, operation.reveal, context)
        response["Cache-Control"] = "no-store"
        return response

    def _offer_operators(self, request: HttpRequest, form: OperationForm, operation: Operation) -> None:
        choice = form.fields.get("operator")
        if isinstance(choice, forms.ModelChoiceField):
            choice.queryset = self.allowing(request, operation.permission)
            only = list(choice.queryset[:2])
            if len(only) == 1:
                choice.initial = only[0]
                choice.widget = choice.hidden_widget()

    def _ask(self, request: HttpRequest, operation: Operation, row: Any, form: OperationForm) -> HttpResponse:
        preview, refusal = _dry_run(operation.preview, row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": operation.label,
            "subtitle": str(row) if row is not None else None,
            "operation": operation,
            "original": row,
            "form": form,
            "preview": preview,
            "refusal": refusal,
            "back": self._page_of(row),
        }
        return TemplateResponse(request, "podium/operation.html", context)

    def _already_done(self, request: HttpRequest, target: str) -> HttpResponse:
        messages.info(request, "This form was sent before; it was done once.")
        return HttpResponseRedirect(target)

    def _page_of(self, row: Any) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is None:
            return reverse(f"{name}_changelist")
        return reverse(f"{name}_change", args=[row.pk])

    # --- the same for several rows ------------------------------------------------------------------------------------

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask once for several rows, then call the service for each; each succeeds or is refused on its own."""
        operation = next((one for one in self.all_operations() if one.name == name and one.bulk), None)
        if operation is None or not self.may(request, operation.permission):
            raise PermissionDenied
        back = self._page_of(None)
        wanted = [int(pk) for pk in request.GET.get("ids", "").split(",") if pk.isdigit()][: ops.BULK_LIMIT]
        rows = [
            row
            for row in self.get_queryset(request).filter(pk__in=wanted).order_by("pk")
            if self.may(request, operation.permission, row) and operation.is_offered(row)
        ]
        if request.method == "POST" and _is_spent(request):
            return self._already_done(request, back)
        if not rows:
            messages.warning(request, f"{operation.label} is possible for none of them.")
            return HttpResponseRedirect(back)
        form = operation.form(request.POST or None, request=request, row=None)
        if request.method != "POST" or not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": f"{operation.label}: {len(rows)} selected",
                "operation": operation,
                "form": form,
                "preview": self.bulk_preview(rows, left_out=len(set(wanted)) - len(rows)),
                "back": back,
            }
            return TemplateResponse(request, "podium/operation.html", context)
        if not ops.take_ticket(request, form.cleaned_data["ticket"]):
            return self._already_done(request, back)
        self._run_each(request, operation, rows, form)
        return HttpResponseRedirect(back)

    def bulk_preview(self, rows: Sequence[Any], *, left_out: int) -> Preview:
        """Return the list of what is about to be done."""
        note = f"{left_out} of the selected can't be included: their state or your role does not allow it."
        return Preview([self.opts.verbose_name], [[str(row)] for row in rows], len(rows), note=note if left_out else "")

    def _run_each(self, request: HttpRequest, operation: Operation, rows: Sequence[Any], form: OperationForm) -> None:
        done = 0
        text = ops.log_text(operation, form)
        said = operation.passed(form.arguments())
        for row in rows:
            try:
                operation.run(row.pk, actor=ops.actor_of(request), at=clock.now(), **said)
            except DomainError as refusal:
                messages.error(request, f"{row}: {_told(refusal)}")
            else:
                done += 1
                self.log_change(request, row, text)
        if done:
            messages.success(request, f"{operation.label}: {done} done.")


def bulk_action(operation: Operation) -> Callable[..., HttpResponse]:
    """Return what Django runs when an operation is chosen for several rows of a list."""

    def choose(modeladmin: Buttons, _: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Go and ask. The selection travels in the address, so that GET can show it and only POST acts."""
        ids = ",".join(str(pk) for pk in queryset.order_by("pk").values_list("pk", flat=True)[: ops.BULK_LIMIT])
        name = f"admin:{modeladmin.opts.app_label}_{modeladmin.opts.model_name}_bulk"
        return HttpResponseRedirect(f"{reverse(name, args=[operation.name])}?ids={ids}")

    return choose


# The words of the API for a field that is missing; the message beside them says so in a person's words.
REQUIRED = "This field is required."


def _is_spent(request: HttpRequest) -> bool:
    return ops.is_spent(request, request.POST.get("ticket", ""))


def _dry_run(preview: Callable[..., Preview] | None, row: Any) -> tuple[Preview | None, str]:
    if preview is None:
        return None, ""
    try:
        return preview(row, clock.now()), ""
    except DomainError as refusal:
        return None, _told(refusal)


def _told(refusal: DomainError) -> str:
    """Return a refusal's words for a person, with the fields it names and its hint."""
    fields = refusal.details.get("fields", {})
    named = "; ".join(f"{name}: {' '.join(map(str, words))}" for name, words in fields.items() if words != [REQUIRED])
    return " ".join(part for part in (refusal.message, named, refusal.hint) if part)

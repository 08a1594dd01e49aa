"""Views that exist in tests only, to show what every keyed view does."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import DomainError
from apps.operators.api.access import InternalView, OperatorView, actor_of, reach_of
from apps.operators.models import Brand
from apps.operators.scopes import Scope


class OutOfStock(DomainError):
    """There is none left."""

    code = "OUT_OF_STOCK"
    hint = "Come back tomorrow."


class Echo(OperatorView):
    """Answers with what it heard."""

    scopes = {"get": Scope.PLAYERS_READ, "post": Scope.PLAYERS_WRITE, "delete": (Scope.RESULTS_READ, Scope.KEYS_READ)}
    rate_class = {"post": "tournament_creation"}

    def get(self, request: Request) -> Response:
        return Response({"actor": str(actor_of(request)), "request": actor_of(request).request_id})

    def post(self, request: Request) -> Response:
        return Response({"heard": request.data}, status=201)

    def delete(self, request: Request) -> Response:
        return Response(status=204)


class Cancel(OperatorView):
    """Wants the permission that writers may have by preference."""

    scopes = {"delete": Scope.TOURNAMENTS_DELETE}

    def delete(self, request: Request) -> Response:
        return Response({})


class Forgot(OperatorView):
    """Names no scope."""

    def get(self, request: Request) -> Response:
        return Response({})


class Trouble(OperatorView):
    """Makes a brand, then goes wrong in the way that the body names."""

    scopes = {"post": Scope.PLAYERS_WRITE}

    def post(self, request: Request) -> Response:
        trouble = request.data["trouble"]
        Brand.objects.create(operator=request.auth.operator, external_id=f"made-{Brand.objects.count()}", name="Made")
        if trouble == "refusal":
            raise OutOfStock(wanted=3)
        if trouble == "bug":
            message = "the secret of the database is 42"
            raise RuntimeError(message)
        return Response({"brands": Brand.objects.count()}, status=int(trouble))


class Inside(InternalView):
    """For game platforms."""

    def get(self, request: Request) -> Response:
        return Response({"actor": str(actor_of(request)), "reach": reach_of(request)})


def broken_page(request: HttpRequest) -> HttpResponse:
    message = "a bug outside of any REST view"
    raise RuntimeError(message)


urlpatterns = [
    path("", include("apps.core.api.urls")),
    path("api/", include("apps.operators.api.urls")),
    re_path(r"^api/echo/?$", Echo.as_view()),
    path("api/cancel", Cancel.as_view()),
    path("api/forgot", Forgot.as_view()),
    path("api/trouble", Trouble.as_view()),
    path("api/broken", broken_page),
    path("broken", broken_page),
    path("internal/inside", Inside.as_view()),
]
handler400 = "apps.core.api.errors.bad_request"
handler403 = "apps.core.api.errors.permission_denied"
handler404 = "apps.core.api.errors.not_found"
handler500 = "apps.core.api.errors.server_error"

"""Games, brands and settings of an operator."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.api.schema import PREFERENCES
from apps.operators.api.serializers import BrandIn, BrandOut, GameIn, GameOut, brand_json, game_json
from apps.operators.models import Brand, Game
from apps.operators.scopes import Scope
from apps.operators.services import tenants

GamesOut = inline_serializer("Games", {"games": GameOut(many=True)})
BrandsOut = inline_serializer("Brands", {"brands": BrandOut(many=True)})


@extend_schema(tags=["Games"])
class GamesView(OperatorView):
    """The operator's catalogue."""

    scopes = {"get": Scope.GAMES_READ}

    @extend_schema(operation_id="games_list", responses={200: GamesOut})
    def get(self, request: Request) -> Response:
        """List the games by slug."""
        games = Game.objects.for_operator(credential_of(request).operator_id).order_by("slug")
        return Response({"games": [game_json(game) for game in games]})


@extend_schema(tags=["Games"])
class GameView(OperatorView):
    """One game of the catalogue."""

    scopes = {"put": Scope.GAMES_WRITE}

    @extend_schema(operation_id="games_put", request=GameIn, responses={200: GameOut, 201: GameOut})
    def put(self, request: Request, slug: str) -> Response:
        """Add a game (201) or change it (200); what is absent stays as it is."""
        game, created = tenants.put_game(
            credential_of(request).operator_id,
            slug,
            tenants.GameChanges(**GameIn.read(request)),
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(game_json(game), status=201 if created else 200)


@extend_schema(tags=["Brands"])
class BrandsView(OperatorView):
    """The operator's brands."""

    scopes = {"get": Scope.SETTINGS_READ, "post": Scope.SETTINGS_WRITE}

    @extend_schema(operation_id="brands_list", responses={200: BrandsOut})
    def get(self, request: Request) -> Response:
        """List the brands, the operator's own first."""
        brands = Brand.objects.for_operator(credential_of(request).operator_id).order_by("pk")
        return Response({"brands": [brand_json(brand) for brand in brands]})

    @extend_schema(operation_id="brands_put", request=BrandIn, responses={200: BrandOut, 201: BrandOut})
    def post(self, request: Request) -> Response:
        """Add a brand (201) or rename it (200)."""
        body = BrandIn.read(request)
        brand, created = tenants.put_brand(
            credential_of(request).operator_id,
            external_id=body["brand_id"],
            name=body["name"],
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(brand_json(brand), status=201 if created else 200)


@extend_schema(tags=["Settings"])
class SettingsView(OperatorView):
    """The operator's preferences."""

    scopes = {"get": Scope.SETTINGS_READ, "patch": Scope.SETTINGS_WRITE}

    @extend_schema(operation_id="settings_get", responses={(200, "application/json"): PREFERENCES})
    def get(self, request: Request) -> Response:
        """Show every preference, defaults filled in."""
        return Response(credential_of(request).operator.settings.dump())

    @extend_schema(
        operation_id="settings_change",
        request={"application/json": OpenApiTypes.OBJECT},
        responses={(200, "application/json"): PREFERENCES},
    )
    def patch(self, request: Request) -> Response:
        """Merge into the preferences (RFC 7396); null returns one to its default."""
        if not isinstance(request.data, dict):
            raise ValidationError({"body": ["Expected an object."]})
        changed = tenants.change_preferences(
            credential_of(request).operator_id, request.data, actor=actor_of(request), at=clock.now()
        )
        return Response(changed.dump())

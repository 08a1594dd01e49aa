"""Operator keys: issue, list, rotate, revoke."""

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import page_of
from apps.core.api.schema import PAGE_PARAMETERS, PaginationOut
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.api.serializers import KeyIn, KeyOut, NewKeyOut, RotationIn, key_json
from apps.operators.models import Credential, CredentialKind
from apps.operators.scopes import Scope
from apps.operators.services import credentials

KeysOut = inline_serializer("Keys", {"keys": KeyOut(many=True), "pagination": PaginationOut()})


@extend_schema(tags=["Keys"])
class KeysView(OperatorView):
    """The operator's own keys."""

    scopes = {"get": Scope.KEYS_READ, "post": Scope.KEYS_WRITE}
    seals_answers = True

    @extend_schema(operation_id="keys_list", parameters=PAGE_PARAMETERS, responses={200: KeysOut})
    def get(self, request: Request) -> Response:
        """List the keys that are not revoked, newest first."""
        page = page_of(request.query_params)
        found = Credential.objects.for_operator(credential_of(request).operator_id).filter(
            kind=CredentialKind.OPERATOR, revoked_at=None
        )
        rows = found.order_by("-pk")[page.offset : page.offset + page.limit]
        return Response({"keys": [key_json(row) for row in rows], "pagination": page.pagination(found.count())})

    @extend_schema(operation_id="keys_issue", request=KeyIn, responses={201: NewKeyOut})
    def post(self, request: Request) -> Response:
        """Issue a key, shown this once; it gets no scope that the calling key lacks."""
        body, own = KeyIn.read(request), credential_of(request)
        issued = credentials.issue(
            operator_id=own.operator_id,
            kind=CredentialKind.OPERATOR,
            name=body["name"],
            scopes=credentials.scopes_of(scopes=body.get("scopes"), role=body.get("role")),
            expires_at=body["expires_at"],
            allowed_ips=body["allowed_ips"],
            may_grant=own.scopes,
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(key_json(issued.credential) | {"key": issued.key}, status=201)


@extend_schema(tags=["Keys"])
class KeyView(OperatorView):
    """One key."""

    scopes = {"delete": Scope.KEYS_WRITE}

    @extend_schema(operation_id="keys_revoke", responses={200: KeyOut})
    def delete(self, request: Request, key_id: int) -> Response:
        """Revoke a key, at once and for good."""
        revoked = credentials.revoke(
            key_id,
            operator_id=credential_of(request).operator_id,
            kind=CredentialKind.OPERATOR,
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(key_json(revoked))


@extend_schema(tags=["Keys"])
class RotateKeyView(OperatorView):
    """The successor of a key."""

    scopes = {"post": Scope.KEYS_WRITE}
    seals_answers = True

    @extend_schema(operation_id="keys_rotate", request=RotationIn, responses={201: NewKeyOut})
    def post(self, request: Request, key_id: int) -> Response:
        """Issue a successor with the same rights; the old key works for `overlapSeconds` more."""
        body, own = RotationIn.read(request), credential_of(request)
        issued = credentials.rotate(
            key_id,
            operator_id=own.operator_id,
            kind=CredentialKind.OPERATOR,
            overlap_seconds=body["overlap_seconds"],
            may_grant=own.scopes,
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(key_json(issued.credential) | {"key": issued.key}, status=201)

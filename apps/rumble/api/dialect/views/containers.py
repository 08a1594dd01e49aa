"""Escrow containers (rumble.md 3.18 to 3.27)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rumble.api.dialect import answers, inputs
from apps.rumble.api.dialect.base import ApplicationView, PlayerView, done, given
from apps.rumble.api.dialect.docs import CONTAINERS, NOTHING, describe
from apps.rumble.models import Container
from apps.rumble.services import containers
from apps.rumble.services.containers import Deposited
from apps.rumble.services.ground import ContainerNotFound

NAME = "ContainersController"
BIGGEST_ID = 2**63 - 1


def found(application_id: int, container_id: str | int) -> Container:
    """Return an application's container. Raises ContainerNotFound."""
    text = str(container_id)
    if not (text.isascii() and text.isdecimal()) or len(text) > 19 or int(text) > BIGGEST_ID:  # noqa: PLR2004 - digits
        raise ContainerNotFound
    return containers.find_container(application_id, int(text))


def deposited_json(deposited: Deposited) -> dict[str, Any]:
    """Write what a transfer into a container came to."""
    return given(transactionId=str(deposited.transaction_public_id), containerReachedUsersLimit=deposited.reached_limit)


class _ContainerView(ApplicationView):
    def container(self, container_id: str) -> Container:
        """Return the caller's container; another application's is as good as missing."""
        return found(self.application.pk, container_id)


class ContainersView(_ContainerView):
    """All containers."""

    @describe(
        f"{NAME}_createContainer",
        "Create a container",
        {201: answers.ContainerOut},
        tag=CONTAINERS,
        request=inputs.ContainerIn,
        sends={"userLimitByContainer": 2},
    )
    def post(self, request: Request) -> Response:
        """Make a container for free use; it lives as long as the application's say."""
        body = inputs.ContainerIn.read_body(self.body(request))
        made = containers.create_container(
            self.application,
            user_limit=body.get("user_limit_by_container"),
            dev_shop_id=body.get("dev_shop_id"),
            hours=inputs.hours_of(body.get("expiration_period_hours")),
            actor=self.actor,
            at=clock.now(),
        )
        return Response(answers.container_json(made), status=201)


class ContainerView(_ContainerView):
    """One container."""

    @describe(f"{NAME}_getContainer", "Get a container", {200: answers.HoldingsOut}, tag=CONTAINERS)
    def get(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Return it with what is in it; only final transactions count in `upx`."""
        container = self.container(containerId)
        return Response(answers.holdings_json(container, containers.holdings(container)))


class UserJoinView(PlayerView):
    """A player puts something in."""

    @describe(
        f"{NAME}_userJoin",
        "Put the player's UPX into a container",
        {200: answers.DepositedOut},
        tag=CONTAINERS,
        request=inputs.JoinContainerIn,
        sends={"containerId": 912, "upxAmount": 500},
    )
    def post(self, request: Request) -> Response:
        """Ask the player for a payment into a container."""
        body = inputs.JoinContainerIn.read_body(self.body(request))
        connection = self.connection
        container = found(connection.application_id, body["container_id"])
        units = inputs.upx_of(body)
        deposited = containers.deposit(
            container.pk, player_id=connection.player_id, units=int(units), actor=self.actor, at=clock.now()
        )
        return Response(deposited_json(deposited))


class ContainerJoinView(_ContainerView):
    """The developer puts something in."""

    @describe(
        f"{NAME}_joinContainer",
        "Put the developer's own UPX into a container",
        {200: answers.DepositedOut},
        tag=CONTAINERS,
        request=inputs.AssetsIn,
        sends={"upxAmount": 500},
    )
    def post(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Move UPX of the account that the application earns for, without a signature."""
        container = self.container(containerId)
        units = inputs.upx_of(inputs.AssetsIn.read_body(self.body(request)))
        deposited = containers.deposit_own(container.pk, units=int(units), actor=self.actor, at=clock.now())
        return Response(deposited_json(deposited))


class LockView(_ContainerView):
    """Nobody new."""

    @describe(f"{NAME}_lockContainer", "Lock a container", {204: NOTHING}, tag=CONTAINERS)
    def post(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Stop new users; locking twice is locking once."""
        containers.lock(self.container(containerId).pk, actor=self.actor, at=clock.now())
        return done()


class UnlockView(_ContainerView):
    """Open again."""

    @describe(f"{NAME}_unlockContainer", "Unlock a container", {204: NOTHING}, tag=CONTAINERS)
    def post(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Let new users in again."""
        containers.unlock(self.container(containerId).pk, actor=self.actor, at=clock.now())
        return done()


class RefreshView(_ContainerView):
    """More time, once."""

    @describe(f"{NAME}_refreshExpirationTime", "Restart a container's clock", {204: NOTHING}, tag=CONTAINERS)
    def post(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Restart the clock; once for each container."""
        containers.refresh(self.container(containerId).pk, actor=self.actor, at=clock.now())
        return done()


class RefundView(_ContainerView):
    """Everything back."""

    @describe(f"{NAME}_refundContainer", "Refund a container", {200: answers.TransactionOut}, tag=CONTAINERS)
    def post(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Return everything to its owners, without fees. `transactionId` is null where nothing was inside."""
        made = containers.refund(self.container(containerId).pk, actor=self.actor, at=clock.now())
        return Response({"transactionId": str(made.public_id) if made else None})


class ResolveContainerView(_ContainerView):
    """Everything shared out."""

    @describe(
        f"{NAME}_resolveContainer",
        "Resolve a container",
        {200: answers.TransactionOut},
        tag=CONTAINERS,
        request=inputs.ResolveContainerIn,
        sends={"actions": [{"category": "upx", "amount": 450, "targetEosId": "racerone1111"}]},
    )
    def post(self, request: Request, containerId: str) -> Response:  # noqa: N803 - the wire's
        """Share out everything that is inside, to the last UPX."""
        container = self.container(containerId)
        wanted = inputs.actions(inputs.ResolveContainerIn.read_body(self.body(request)))
        made = containers.resolve_container(container.pk, wanted, actor=self.actor, at=clock.now())
        return Response({"transactionId": str(made.public_id)})


class ContainerTransactionView(_ContainerView):
    """One transfer into a container."""

    @describe(f"{NAME}_removeTransaction", "Remove an unsigned transfer", {204: NOTHING}, tag=CONTAINERS)
    def delete(self, request: Request, containerId: str, transactionId: str) -> Response:  # noqa: N803 - the wire's
        """Withdraw what the player has not signed yet; a participant becomes REMOVED."""
        container = self.container(containerId)
        public_id = inputs.uuid_in(transactionId, "transactionId")
        containers.remove_deposit(container.pk, public_id, actor=self.actor, at=clock.now())
        return done()

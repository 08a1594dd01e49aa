"""Read a client's own HTTP interface, page by page: `GET url?after={cursor}&limit={limit}` with the client's key.

The cursor is ours, in the database, and moves only after the rounds before it are stored; a page that can't be read is
asked for again. A round on a page that can't be read is kept (`RefusedItem`), for there is no dead-letter queue.
"""

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from apps.core import clock, egress
from apps.rounds.channels.feeds import Message, Outcome, Trouble, at_path, mapped, raw_items
from apps.rounds.models import Channel
from apps.rounds.reading import Malformed
from apps.rounds.services import channels
from apps.rounds.services.channels import Pull

ANSWER_SECONDS = 20.0
LARGEST_PAGE = 16 * 1024 * 1024
OK = 200


class PullFeed:
    """The pages of one interface, one after the other."""

    def __init__(self, setup: Pull, *, channel: Channel, secret: str, told: threading.Event) -> None:
        """Ask nothing yet. `told` ends the pause between pages."""
        self.setup = setup
        self.channel_id = channel.pk
        self.mapping: dict[str, str] = channel.mapping
        self.transactions = channel.transactions is not None
        self.cursor: str = channel.cursor
        self.secret = secret
        self.told = told
        self.following = ""
        # A full page is followed by the next at once.
        self.pause = 0.0

    def fetch(self) -> Sequence[Message]:
        """Return the items of the next page, after the pause if the last one was not full. Raises Trouble."""
        if self.told.wait(self.pause):
            return []
        items, whole = self._page()
        self.pause = 0.0 if len(items) >= self.setup.limit else self.setup.seconds
        if not items:
            return []
        self.following = self._after(items, whole)
        return [Message(item, None) for item in items]

    def settle(self, outcome: Outcome) -> None:
        """Move the cursor behind the page, unless something of it failed here. Raises Trouble if it is elsewhere."""
        if outcome.back:
            self.pause = self.setup.seconds
            raise Trouble("Rounds could not be stored; the page is asked for again.")
        refused = [(message.body.decode(errors="replace"), error) for message, error in outcome.refused]
        if not channels.move_on(
            self.channel_id, seen=self.cursor, following=self.following, refused=refused, at=clock.now()
        ):
            raise Trouble("The cursor was moved by somebody else; going on from there.")
        self.cursor = self.following

    def check(self) -> str:
        """Ask for a page and say how many items it has."""
        items, whole = self._page()
        if items:
            self._after(items, whole)
        return f"{len(items)} items after cursor {self.cursor or '(none)'}"

    def close(self) -> None:
        """Hold nothing."""

    def _page(self) -> tuple[list[bytes], Any]:
        setup = self.setup
        asked: dict[str, str | int] = {setup.limit_parameter: setup.limit}
        if self.cursor:
            asked[setup.after_parameter] = self.cursor
        url = f"{setup.url}{'&' if '?' in setup.url else '?'}{urlencode(asked)}"
        headers = {"Accept": "application/json"} | ({setup.key_header: self.secret} if self.secret else {})
        try:
            answer = egress.send("GET", url, headers=headers, timeout=ANSWER_SECONDS, max_bytes=LARGEST_PAGE)
        except (egress.Failed, egress.Refused) as problem:
            raise Trouble(str(problem)) from problem
        if answer.status != OK:
            raise Trouble(f"Answered {answer.status}: {answer.body[:120].decode(errors='replace')}")
        if answer.truncated:
            raise Trouble("The page is larger than 16 MiB.")
        return raw_items(answer.body, setup.items)

    def _after(self, items: Sequence[bytes], whole: Any) -> str:
        """Return the cursor behind a page. Raises Trouble if there is none, or if it stands still."""
        if self.setup.following:
            found = at_path(whole, self.setup.following)
        else:
            field = "transactionId" if self.transactions else "roundId"
            try:
                last = mapped(items[-1], self.mapping, fields=[field])
            except Malformed as problem:
                raise Trouble("The last item of the page is no JSON.") from problem
            found = msgspec.json.decode(last).get(field)
        if not isinstance(found, str | int) or isinstance(found, bool) or str(found) == "":
            raise Trouble("The page does not say where the next one begins.")
        if str(found) == self.cursor:
            raise Trouble("The page's cursor is the one that was asked with: it would come again for ever.")
        return str(found)

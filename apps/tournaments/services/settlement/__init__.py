"""From a plan to money: freeze it once, pay it line by line, close the books. What it pays is decided in `planning`."""

from apps.tournaments.services.planning import Preview, PreviewLine, preview_refunds, preview_settlement
from apps.tournaments.services.settlement.closing import conclude
from apps.tournaments.services.settlement.decisions import NothingToApprove, approve_payouts, resume, retry_payouts
from apps.tournaments.services.settlement.freezing import freeze_prizes, freeze_refunds
from apps.tournaments.services.settlement.ground import PAY, plan_of
from apps.tournaments.services.settlement.payments import Payouts, pay_on, paying

__all__ = [
    "PAY",
    "NothingToApprove",
    "Payouts",
    "Preview",
    "PreviewLine",
    "approve_payouts",
    "conclude",
    "freeze_prizes",
    "freeze_refunds",
    "pay_on",
    "paying",
    "plan_of",
    "preview_refunds",
    "preview_settlement",
    "resume",
    "retry_payouts",
]

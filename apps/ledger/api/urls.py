"""Addresses of wallets, exchange rates and the keys of our calls, below `/api/` and `/api/api/`.

A slash at the end is optional.
"""

from django.urls import re_path

from apps.ledger.api import callbacks, rates, views

PLAYER = r"^players/(?P<user_id>[^/]+)"

urlpatterns = [
    re_path(PLAYER + r"/wallets/?$", views.WalletsView.as_view()),
    re_path(PLAYER + r"/deposits/?$", views.DepositsView.as_view()),
    re_path(PLAYER + r"/withdrawals/?$", views.WithdrawalsView.as_view()),
    re_path(PLAYER + r"/ledger/?$", views.LedgerView.as_view()),
    re_path(r"^callback-keys/?$", callbacks.CallbackKeysView.as_view()),
    re_path(r"^exchange-rates/?$", rates.ExchangeRatesView.as_view()),
]

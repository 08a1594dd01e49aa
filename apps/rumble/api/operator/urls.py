"""Addresses of the operator's calls, below `/api/` and `/api/api/`. A slash at the end is optional."""

from django.urls import re_path

from apps.rumble.api.operator import views

PLAYER = r"^players/(?P<user_id>[^/]+)"

urlpatterns = [
    re_path(r"^applications/?$", views.ApplicationsView.as_view()),
    re_path(r"^applications/(?P<app_id>[^/]+)/?$", views.ApplicationView.as_view()),
    re_path(PLAYER + r"/connections/?$", views.ConnectionsView.as_view()),
    re_path(PLAYER + r"/connections/(?P<app_id>[^/]+)/?$", views.ConnectionView.as_view()),
    re_path(PLAYER + r"/payments/?$", views.PaymentsView.as_view()),
    re_path(PLAYER + r"/payments/(?P<transaction_id>[^/]+)/sign/?$", views.SignView.as_view()),
    re_path(PLAYER + r"/payments/(?P<transaction_id>[^/]+)/reject/?$", views.RejectView.as_view()),
    re_path(PLAYER + r"/signin-link/?$", views.SigninLinkView.as_view()),
    re_path(r"^chain/?$", views.ChainView.as_view()),
]

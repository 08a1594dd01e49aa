"""Addresses of the player's pages, below `/play/`."""

from django.urls import path
from django.views.generic import RedirectView

from apps.rumble.play import views

app_name = "play"
urlpatterns = [
    path("play", RedirectView.as_view(pattern_name="play:home")),
    path("play/", views.home, name="home"),
    path("play/enter/<str:token>", views.enter, name="enter"),
    path("play/sign-in", views.sign_in, name="sign-in"),
    path("play/sign-out", views.sign_out, name="sign-out"),
    path("play/connect", views.connect, name="connect"),
    path("play/payments/<uuid:transaction_id>/sign", views.sign, name="sign"),
    path("play/payments/<uuid:transaction_id>/refuse", views.refuse, name="refuse"),
    path("play/tournaments", views.tournaments, name="tournaments"),
    path("play/tournaments/<str:tournament_id>", views.tournament, name="tournament"),
    path("play/applications", views.applications, name="applications"),
    path("play/applications/<int:app_id>/disconnect", views.disconnect, name="disconnect"),
]

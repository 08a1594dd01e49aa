"""Paths of the stream and of webhooks, below each mount of the operator API."""

from django.urls import re_path

from apps.events.api import webhook_views as webhooks
from apps.events.api.views import EventsView

ENDPOINT = r"^webhooks/endpoints/(?P<endpoint_id>[A-Za-z0-9_]{1,32})"
DELIVERY = r"^webhooks/deliveries/(?P<delivery_id>[0-9]{1,18})"

urlpatterns = [
    re_path(r"^events/?$", EventsView.as_view(), name="events"),
    re_path(r"^webhooks/endpoints/?$", webhooks.EndpointsView.as_view()),
    re_path(ENDPOINT + r"/?$", webhooks.EndpointView.as_view()),
    re_path(ENDPOINT + r"/rotate-secret/?$", webhooks.RotateSecretView.as_view()),
    re_path(ENDPOINT + r"/test/?$", webhooks.TestView.as_view()),
    re_path(ENDPOINT + r"/replay/?$", webhooks.ReplayView.as_view()),
    re_path(ENDPOINT + r"/deliveries/?$", webhooks.DeliveriesView.as_view()),
    re_path(DELIVERY + r"/?$", webhooks.DeliveryView.as_view()),
    re_path(DELIVERY + r"/retry/?$", webhooks.RetryView.as_view()),
]

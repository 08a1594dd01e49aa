"""The addresses of rooms and tasks, below each mount. A slash at the end is optional."""

from django.urls import include, path, re_path

from apps.rooms.api.game import views

# Grouped by how they begin, so that what goes elsewhere is compared once and not with every address.
game = [
    re_path(r"^create/?$", views.CreateView.as_view()),
    re_path(r"^createJoinPay/?$", views.CreateJoinPayView.as_view()),
    re_path(r"^join/?$", views.JoinView.as_view()),
    re_path(r"^joinPay/?$", views.JoinPayView.as_view()),
    re_path(r"^pay/?$", views.PayView.as_view()),
    re_path(r"^earn/?$", views.EarnView.as_view()),
    re_path(r"^earnLeave/?$", views.EarnLeaveView.as_view()),
    re_path(r"^earnLeaveEnd/?$", views.EarnLeaveEndView.as_view()),
    re_path(r"^leave/?$", views.LeaveView.as_view()),
    re_path(r"^end/?$", views.EndView.as_view()),
    re_path(r"^close/?$", views.CloseView.as_view()),
    re_path(r"^isJoined/?$", views.IsJoinedView.as_view()),
    re_path(r"^room/(?P<roomId>[^/]+)/?$", views.RoomView.as_view()),
]
urlpatterns = [
    path("game/", include(game)),
    path("task/", include([re_path(r"^status/(?P<taskId>[^/]+)/?$", views.TaskView.as_view())])),
]

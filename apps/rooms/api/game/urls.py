"""The addresses of rooms and tasks, below each mount. A slash at the end is optional."""

from django.urls import re_path

from apps.rooms.api.game import views

urlpatterns = [
    re_path(r"^game/create/?$", views.CreateView.as_view()),
    re_path(r"^game/join/?$", views.JoinView.as_view()),
    re_path(r"^game/pay/?$", views.PayView.as_view()),
    re_path(r"^game/earn/?$", views.EarnView.as_view()),
    re_path(r"^game/leave/?$", views.LeaveView.as_view()),
    re_path(r"^game/end/?$", views.EndView.as_view()),
    re_path(r"^game/close/?$", views.CloseView.as_view()),
    re_path(r"^game/isJoined/?$", views.IsJoinedView.as_view()),
    re_path(r"^game/joinPay/?$", views.JoinPayView.as_view()),
    re_path(r"^game/earnLeave/?$", views.EarnLeaveView.as_view()),
    re_path(r"^game/createJoinPay/?$", views.CreateJoinPayView.as_view()),
    re_path(r"^game/earnLeaveEnd/?$", views.EarnLeaveEndView.as_view()),
    re_path(r"^game/room/(?P<roomId>[^/]+)/?$", views.RoomView.as_view()),
    re_path(r"^task/status/(?P<taskId>[^/]+)/?$", views.TaskView.as_view()),
]

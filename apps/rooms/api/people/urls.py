"""The addresses of players, below each mount. A slash at the end is optional."""

from django.urls import URLPattern, re_path

from apps.rooms.api.people.views import approvals, chips, passes, sessions, users

ID = "[^/]+"

urlpatterns: list[URLPattern] = [
    re_path(r"^user/login/?$", sessions.LoginView.as_view()),
    re_path(r"^user/loginAndApprove/?$", sessions.LoginAndApproveView.as_view()),
    re_path(r"^user/logout/?$", sessions.LogoutView.as_view()),
    re_path(r"^user/session/verify/?$", sessions.VerifySessionView.as_view()),
    re_path(r"^jwt/publicKey/?$", sessions.PublicKeyView.as_view()),
    re_path(rf"^auth/read/(?P<uid>{ID})/?$", sessions.ReadAuthView.as_view()),
    re_path(rf"^auth/revoke/(?P<uid>{ID})/?$", sessions.RevokeAuthView.as_view()),
    re_path(r"^instantPlayPass/register/?$", passes.RegisterPassView.as_view()),
    re_path(r"^instantPlayPass/reveal/claimingCode/?$", passes.RevealCodeView.as_view()),
    re_path(rf"^instantPlayPass/verify/claimingCode/(?P<claimingCode>{ID})/?$", passes.VerifyCodeView.as_view()),
    re_path(rf"^user/register/(?P<claimingCode>{ID})/?$", passes.ClaimView.as_view()),
    re_path(r"^game/approve/?$", approvals.ApproveView.as_view()),
    re_path(r"^game/revoke/?$", approvals.RevokeView.as_view()),
    re_path(
        rf"^game/allowance/(?P<plyrId>{ID})/(?P<gameId>{ID})/(?P<token>{ID})/?$", approvals.AllowanceView.as_view()
    ),
    re_path(rf"^game/allowanceByGameId/(?P<plyrId>{ID})/(?P<gameId>{ID})/?$", approvals.AllowancesOfGameView.as_view()),
    re_path(rf"^game/allowances/(?P<plyrId>{ID})/?$", approvals.AllowancesView.as_view()),
    re_path(r"^tokenlist/?$", users.TokenListView.as_view()),
    re_path(rf"^tokenlist/(?P<apiId>{ID})/?$", users.TokenOfListView.as_view()),
    re_path(rf"^user/balance/(?P<identifier>{ID})/?$", users.BalanceView.as_view()),
    re_path(rf"^user/balance/(?P<identifier>{ID})/(?P<tokenName>{ID})/?$", users.BalanceOfTokenView.as_view()),
    re_path(rf"^user/info/(?P<identifier>{ID})/?$", users.InfoView.as_view()),
    re_path(r"^user/avatar/?$", users.AvatarsView.as_view()),
    re_path(r"^user/avatars/?$", users.AvatarLinesView.as_view()),
    re_path(rf"^user/avatar/(?P<plyrId>{ID})/?$", users.AvatarView.as_view()),
    re_path(rf"^user/avatar/picture/(?P<plyrId>{ID})\.svg$", users.PictureView.as_view()),
    re_path(rf"^activityLogs/(?P<plyrId>{ID})/?$", users.LogsView.as_view()),
    re_path(rf"^actionLog/(?P<plyrId>{ID})/?$", users.ActionsView.as_view()),
    re_path(r"^game/chip/create/?$", chips.CreateChipView.as_view()),
    re_path(r"^game/chip/mint/?$", chips.MintChipView.as_view()),
    re_path(r"^game/chip/burn/?$", chips.BurnChipView.as_view()),
    re_path(r"^game/chip/transfer/?$", chips.TransferChipView.as_view()),
    re_path(r"^game/chip/balance/?$", chips.ChipBalanceView.as_view()),
    re_path(r"^game/chip/info/?$", chips.ChipInfoView.as_view()),
]

"""The addresses of players, below each mount. A slash at the end is optional."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from apps.rooms.api.people.views import approvals, chips, passes, sessions, users

ID = "[^/]+"

# Grouped by how they begin, so that what goes elsewhere is compared once and not with every address.
user_urls = [
    re_path(r"^login/?$", sessions.LoginView.as_view()),
    re_path(r"^loginAndApprove/?$", sessions.LoginAndApproveView.as_view()),
    re_path(r"^logout/?$", sessions.LogoutView.as_view()),
    re_path(r"^session/verify/?$", sessions.VerifySessionView.as_view()),
    re_path(rf"^register/(?P<claimingCode>{ID})/?$", passes.ClaimView.as_view()),
    re_path(rf"^balance/(?P<identifier>{ID})/?$", users.BalanceView.as_view()),
    re_path(rf"^balance/(?P<identifier>{ID})/(?P<tokenName>{ID})/?$", users.BalanceOfTokenView.as_view()),
    re_path(rf"^info/(?P<identifier>{ID})/?$", users.InfoView.as_view()),
    re_path(r"^avatar/?$", users.AvatarsView.as_view()),
    re_path(r"^avatars/?$", users.AvatarLinesView.as_view()),
    re_path(rf"^avatar/(?P<plyrId>{ID})/?$", users.AvatarView.as_view()),
    re_path(rf"^avatar/picture/(?P<plyrId>{ID})\.svg$", users.PictureView.as_view()),
]
auth_urls = [
    re_path(rf"^read/(?P<uid>{ID})/?$", sessions.ReadAuthView.as_view()),
    re_path(rf"^revoke/(?P<uid>{ID})/?$", sessions.RevokeAuthView.as_view()),
]
passes_urls = [
    re_path(r"^register/?$", passes.RegisterPassView.as_view()),
    re_path(r"^reveal/claimingCode/?$", passes.RevealCodeView.as_view()),
    re_path(rf"^verify/claimingCode/(?P<claimingCode>{ID})/?$", passes.VerifyCodeView.as_view()),
]
game_urls = [
    re_path(r"^approve/?$", approvals.ApproveView.as_view()),
    re_path(r"^revoke/?$", approvals.RevokeView.as_view()),
    re_path(r"^revokeBySignature/?$", approvals.RevokeBySignatureView.as_view()),
    re_path(rf"^allowance/(?P<plyrId>{ID})/(?P<gameId>{ID})/(?P<token>{ID})/?$", approvals.AllowanceView.as_view()),
    re_path(rf"^allowanceByGameId/(?P<plyrId>{ID})/(?P<gameId>{ID})/?$", approvals.AllowancesOfGameView.as_view()),
    re_path(rf"^allowances/(?P<plyrId>{ID})/?$", approvals.AllowancesView.as_view()),
    re_path(r"^chip/create/?$", chips.CreateChipView.as_view()),
    re_path(r"^chip/mint/?$", chips.MintChipView.as_view()),
    re_path(r"^chip/burn/?$", chips.BurnChipView.as_view()),
    re_path(r"^chip/transfer/?$", chips.TransferChipView.as_view()),
    re_path(r"^chip/balance/?$", chips.ChipBalanceView.as_view()),
    re_path(r"^chip/info/?$", chips.ChipInfoView.as_view()),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("user/", include(user_urls)),
    re_path(r"^jwt/publicKey/?$", sessions.PublicKeyView.as_view()),
    path("auth/", include(auth_urls)),
    path("instantPlayPass/", include(passes_urls)),
    path("game/", include(game_urls)),
    re_path(r"^tokenlist/?$", users.TokenListView.as_view()),
    re_path(rf"^tokenlist/(?P<apiId>{ID})/?$", users.TokenOfListView.as_view()),
    re_path(rf"^balance/(?P<address>{ID})/?$", users.BalanceOfAddressView.as_view()),
    re_path(rf"^activityLogs/(?P<plyrId>{ID})/?$", users.LogsView.as_view()),
    re_path(rf"^actionLog/(?P<plyrId>{ID})/?$", users.ActionsView.as_view()),
]

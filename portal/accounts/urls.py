from django.contrib.auth import views as auth_views
from django.urls import path

from portal.accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password/", views.PasswordChangeView.as_view(), name="password_change"),
    path("invitation/<uidb64>/<token>/", views.InvitationView.as_view(), name="invitation"),
    path("me/", views.me, name="me"),
    path("choose/", views.choose, name="choose"),
    path("stop-acting/", views.stop_acting, name="stop_acting"),
    path("agents/", views.agents, name="agents"),
    path("agents/<pk:membership_id>/revoke/", views.revoke_agent, name="revoke_agent"),
]

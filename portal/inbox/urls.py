from django.urls import path

from portal.inbox import views

app_name = "inbox"
urlpatterns = [
    path("", views.inbox, name="list"),
    path("read-all/", views.read_all, name="read_all"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/unmute/<pk:mute_id>/", views.unmute, name="unmute"),
    path("<pk:notification_id>/", views.detail, name="detail"),
    path("<pk:notification_id>/mute/", views.mute, name="mute"),
]

"""Addresses of matching runs in the Wagtail admin."""

from django.urls import path

from cms.runs import views

app_name = "cms_runs"
urlpatterns = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.run, name="run"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/retry/", views.retry, name="retry"),
    path("<int:pk>/changes.csv", views.changes_csv, name="changes"),
]

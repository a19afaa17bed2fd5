"""Addresses of the vocabulary in the Wagtail admin."""

from django.urls import path

from cms.vocabulary_admin import views

app_name = "cms_vocabulary"
urlpatterns = [
    path("", views.index, name="index"),
    path("facts/add/", views.add_fact, name="add_fact"),
    path("facts/<str:key>/", views.edit_fact, name="fact"),
    path("lists/add/", views.add_list, name="add_list"),
    path("lists/<str:name>/", views.code_list, name="list"),
    path("lists/<str:name>/add/", views.add_code, name="add_code"),
    path("lists/<str:name>/codes/<str:code>/", views.edit_code, name="code"),
]

"""Addresses of the public pages outside the CMS."""

from django.urls import path

from portal.public import views

app_name = "public"
urlpatterns = [
    path("policies/", views.policy_list, name="policy_list"),
    path("policies-suggest/", views.suggest, name="suggest"),
    path("fit/<slug:code>/", views.fit, name="fit"),
    path("catalogue.json", views.catalogue_json, name="catalogue_json"),
    path("catalogue.csv", views.catalogue_table, name="catalogue_csv"),
]

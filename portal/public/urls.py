"""Addresses of the public pages outside the CMS."""

from django.urls import path

from portal.public import payday, views

app_name = "public"
urlpatterns = [
    path("policies/", views.policy_list, name="policy_list"),
    path("policies-suggest/", views.suggest, name="suggest"),
    path("fit/<slug:code>/", views.fit, name="fit"),
    path("payday/", payday.payday, name="payday_now"),
    path("payday/<int:year>/", payday.payday, name="payday"),
    path("payday/<int:year>.ics", payday.payday_ics, name="payday_ics"),
    path("catalogue.json", views.catalogue_json, name="catalogue_json"),
    path("catalogue.csv", views.catalogue_table, name="catalogue_csv"),
]

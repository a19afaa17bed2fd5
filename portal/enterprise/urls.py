from django.urls import path

from portal.enterprise.views import applications, apply, materials, opportunities, overview, payments, profile

app_name = "enterprise"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("opportunities/", opportunities.opportunities, name="opportunities"),
    path("opportunities/<slug:code>/", opportunities.opportunity, name="opportunity"),
    path("profile/", profile.profile, name="profile"),
    path("profile/<str:key>/", profile.fact, name="fact"),
    path("apply/<slug:code>/", apply.apply, name="apply"),
    path("applications/", applications.application_list, name="applications"),
    path("applications/<pk:application_id>/", applications.application, name="application"),
    path("applications/<pk:application_id>/edit/", apply.edit, name="edit"),
    path("applications/<pk:application_id>/materials/", materials.bring_materials, name="materials"),
    path(
        "applications/<pk:application_id>/materials/<pk:material_id>/remove/",
        materials.remove_material,
        name="material_remove",
    ),
    path("applications/<pk:application_id>/check/", apply.check, name="check"),
    path("applications/<pk:application_id>/respond/", applications.respond, name="respond"),
    path("applications/<pk:application_id>/gap/", applications.fill_gap, name="fill_gap"),
    path("applications/<pk:application_id>/withdraw/", applications.withdraw, name="withdraw"),
    path("applications/<pk:application_id>/appeal/", applications.appeal, name="appeal"),
    path("applications/<pk:application_id>/rate/", applications.rate, name="rate"),
    path("materials/<pk:material_id>/", materials.download_material, name="material"),
    path("documents/<pk:document_id>/", applications.download_document, name="document"),
    path("payments/", payments.payments, name="payments"),
    path("payments/<pk:payable_id>/mend/", payments.mend, name="mend"),
    path("account/", payments.account, name="account"),
]

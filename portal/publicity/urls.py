from django.urls import path

from portal.publicity import views

app_name = "publicity"
urlpatterns = [
    path("", views.publicities, name="list"),
    path("<pk:publicity_id>/", views.publicity, name="detail"),
    path("objections/", views.find_objection, name="find_objection"),
    path("objections/<str:number>/", views.objection, name="objection"),
]

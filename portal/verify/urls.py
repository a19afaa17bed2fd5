from django.urls import path

from portal.verify import views

app_name = "verify"
urlpatterns = [
    path("", views.search, name="search"),
    path("<str:number>/", views.confirm, name="confirm"),
]

"""All addresses of the platform. Wagtail answers last, for whatever page the editors made."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from portal import converters, views

converters.register()

# Pictures and files of the editors, where no web server stands in front.
media = (
    [re_path(rf"^{settings.MEDIA_URL.lstrip('/')}(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT})]
    if settings.SERVE_MEDIA
    else []
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("home/", views.home_for_role, name="home-for-role"),
    path("accounts/", include("portal.accounts.urls")),
    path("enterprise/", include("portal.enterprise.urls")),
    path("desk/", include("portal.desk.urls")),
    path("inbox/", include("portal.inbox.urls")),
    path("verify/", include("portal.verify.urls")),
    path("publicity/", include("portal.publicity.urls")),
    # Before Wagtail's own, in whose place they stand.
    path("cms/login/", views.login_of_wagtail, {"permission": "wagtailadmin.access_admin"}),
    path("_util/login/", views.login_of_wagtail),
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("", include("portal.public.urls")),
    *media,
    path("", include(wagtail_urls)),
]

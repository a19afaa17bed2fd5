"""All addresses of the platform. Wagtail answers last, for whatever page the editors made."""

from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from portal import converters, views

converters.register()


def _room(prefix: str, module: str) -> list[URLPattern | URLResolver]:
    return [path(prefix, include(module))] if find_spec(module) else []


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("home/", views.home_for_role, name="home-for-role"),
    path("accounts/", include("portal.accounts.urls")),
    *_room("enterprise/", "portal.enterprise.urls"),
    *_room("desk/", "portal.desk.urls"),
    *_room("inbox/", "portal.inbox.urls"),
    *_room("verify/", "portal.verify.urls"),
    *_room("publicity/", "portal.publicity.urls"),
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
]
if find_spec("portal.public") and find_spec("portal.public.urls"):
    urlpatterns += [path("", include("portal.public.urls"))]
if settings.DEBUG:
    from django.conf.urls.static import static

    urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
urlpatterns += [path("", include(wagtail_urls))]

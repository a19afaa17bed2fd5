"""The first panel of the editor's first page: begin a policy, find one, go on with what is not published."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.components import Component
from wagtail.models import Page

from cms.models import PolicyDocumentPage, PolicyIndexPage, PolicyItemPage, ReadingPage

DRAFTS_SHOWN = 10
# Items that take applications, or hold, for no longer than this are shown, to be prolonged or let go.
ENDS_SOON = timedelta(days=60)


class PolicyPanel(Component):
    name = "policies"
    template_name = "cms/admin/home_panel.html"
    order = 10

    def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
        request: HttpRequest = parent_context["request"]
        index = PolicyIndexPage.objects.order_by("pk").first()
        starts: list[tuple[str, str, bool]] = []
        if index is not None:
            add = "wagtailadmin_pages:add"
            if index.permissions_for_user(request.user).can_add_subpage():
                for label, model in _KINDS:
                    starts.append((str(label), reverse(add, args=["cms", model, index.pk]), not starts))
            starts.append((_("全部政策"), reverse("wagtailadmin_explore", args=[index.pk]), False))
        # A page that an import left as a draft was never published, and has nothing that differs from what is.
        unsent = Q(has_unpublished_changes=True) | Q(live=False, first_published_at__isnull=True)
        drafts = Page.objects.type(PolicyItemPage, PolicyDocumentPage, ReadingPage).filter(unsent)
        today = timezone.localdate()
        soon = (today, today + ENDS_SOON)
        ending = PolicyItemPage.objects.live().filter(Q(window_until__range=soon) | Q(expires_on__range=soon))
        return {
            "starts": starts,
            "live": PolicyItemPage.objects.live().count(),
            "waiting": PolicyItemPage.objects.filter(unsent).count(),
            "ending": ending.order_by("window_until", "expires_on", "pk")[:DRAFTS_SHOWN],
            "drafts": drafts.order_by("-latest_revision_created_at")[:DRAFTS_SHOWN],
            "site_url": "/",
        }


_KINDS = [
    (gettext_lazy("新建政策事项"), "policyitempage"),
    (gettext_lazy("新建政策文件"), "policydocumentpage"),
    (gettext_lazy("新建政策解读"), "readingpage"),
]

"""The pages and rights that a new district starts with; run again it changes nothing."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from wagtail.models import (
    Collection,
    GroupApprovalTask,
    GroupCollectionPermission,
    GroupPagePermission,
    Locale,
    Page,
    Site,
    Workflow,
    WorkflowPage,
    WorkflowTask,
)

from cms.models import HomePage, PolicyIndexPage

OFFICERS = "政策专员"
WORKFLOW, TASK = "政策发布审批", "政策专员复核"
WAGTAILS_OWN_WORKFLOW = "Moderators approval"
PAGE_RIGHTS = ("add_page", "change_page", "publish_page", "lock_page", "unlock_page", "bulk_delete_page")
COLLECTION_RIGHTS = (
    ("wagtaildocs", "add_document"),
    ("wagtaildocs", "change_document"),
    ("wagtaildocs", "choose_document"),
    ("wagtailimages", "add_image"),
    ("wagtailimages", "change_image"),
    ("wagtailimages", "choose_image"),
)


@transaction.atomic
def setup_cms(*, district: str, hostname: str = "localhost", port: int = 80) -> PolicyIndexPage:
    """The front page, the list under it, and the group of policy officers with its rights. Returns the list page."""
    root = _root()
    home = HomePage.objects.first()
    if home is None:
        home = HomePage(title=f"{district}惠企政策", slug="huida", lead="看得懂、找得到、算得清、拿得到。")
        root.add_child(instance=home)
    Site.objects.filter(is_default_site=True).exclude(root_page=home).update(root_page=home)
    if not Site.objects.filter(is_default_site=True).exists():
        Site.objects.create(hostname=hostname, port=port, root_page=home, is_default_site=True, site_name=district)
    Site.clear_site_root_paths_cache()
    for welcome in Page.objects.filter(depth=2, slug="home", numchild=0).exclude(pk=home.pk):
        if welcome.specific_class is Page:
            welcome.delete()
    library: PolicyIndexPage | None = PolicyIndexPage.objects.first()
    if library is None:
        library = PolicyIndexPage(title="惠企政策", slug="policies")
        home.refresh_from_db()
        home.add_child(instance=library)
    setup_officers()
    return library


def _root() -> Page:
    """The root of all pages, made anew where a database was emptied."""
    root = Page.get_first_root_node()
    if root is None:
        Locale.objects.get_or_create(language_code=settings.LANGUAGE_CODE)
        root = Page.add_root(instance=Page(title="Root", slug="root"))
    if Collection.get_first_root_node() is None:
        Collection.add_root(name="Root")
    return root


def setup_officers() -> Group:
    """The group of policy officers: the editorial workflow, documents and pictures, and the vocabulary."""
    group, _created = Group.objects.get_or_create(name=OFFICERS)
    group.permissions.add(Permission.objects.get(content_type__app_label="wagtailadmin", codename="access_admin"))
    group.permissions.add(
        Permission.objects.get(content_type__app_label="registry", codename="change_vocabularyrevision")
    )
    root = _root()
    for codename in PAGE_RIGHTS:
        permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=codename)
        GroupPagePermission.objects.get_or_create(group=group, page=root, permission=permission)
    collection = Collection.get_first_root_node()
    for app_label, codename in COLLECTION_RIGHTS:
        permission = Permission.objects.get(content_type__app_label=app_label, codename=codename)
        GroupCollectionPermission.objects.get_or_create(group=group, collection=collection, permission=permission)
    _setup_workflow(group)
    return group


def seat_officer(*, user: Any, seated: bool) -> None:
    """Let a person edit and publish policies, or no longer. Doing it twice changes nothing."""
    if seated:
        user.groups.add(setup_officers())
    else:
        user.groups.remove(*Group.objects.filter(name=OFFICERS))


def _setup_workflow(group: Group) -> None:
    """A draft can be handed to the officers for review; a workflow that the district made itself stays."""
    root = Page.get_first_root_node()
    assigned = WorkflowPage.objects.filter(page=root).select_related("workflow").first()
    if assigned is not None and assigned.workflow.name != WAGTAILS_OWN_WORKFLOW:
        return
    task, _made = GroupApprovalTask.objects.get_or_create(name=TASK)
    task.groups.add(group)
    workflow, _made = Workflow.objects.get_or_create(name=WORKFLOW)
    WorkflowTask.objects.get_or_create(workflow=workflow, task=task, defaults={"sort_order": 0})
    WorkflowPage.objects.update_or_create(page=root, defaults={"workflow": workflow})

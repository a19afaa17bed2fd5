"""The vocabulary in the Wagtail admin: facts, code lists and codes, each change a new revision."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.vocabulary_admin.forms import TYPES, CodeForm, CodeListForm, FactForm
from matching.criteria import InvalidInput
from matching.registry.models import VocabularyRevision
from matching.services import vocabulary as service
from matching.services.vocabulary import StillUsed, current_vocabulary

PERMISSION = "registry.change_vocabularyrevision"
View = Callable[..., HttpResponse]


def officers_only(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return view(request, *args, **options)

    return checked


def _change(request: HttpRequest, form: Form | None, change: Callable[[], Any], told: str) -> bool:
    """Do a change; what stands against it is told on the form, or above the page where there is none."""
    try:
        change()
    except StillUsed as used:
        errors = [str(used)]
        errors += [f"{use.item_name}（{use.item_code}）：{problem}" for use in used.uses for problem in use.problems]
    except InvalidInput as invalid:
        errors = [str(problem) for problem in invalid.problems]
    else:
        messages.success(request, told)
        return True
    for error in errors:
        if form is None:
            messages.error(request, error)
        else:
            form.add_error(None, error)
    return False


@officers_only
def index(request: HttpRequest) -> HttpResponse:
    vocabulary = current_vocabulary()
    names = dict(TYPES)
    revisions = Paginator(VocabularyRevision.objects.order_by("-created_at"), 20).get_page(request.GET.get("p"))
    facts = [{"fact": fact, "type": names[fact.type.value]} for fact in vocabulary.facts.values()]
    context = {
        "facts": facts,
        "code_lists": [{"list": codes, "count": len(codes.codes)} for codes in vocabulary.code_lists.values()],
        "revisions": revisions,
        "page_title": _("事实词表"),
        "header_icon": "list-ul",
    }
    return render(request, "cms/admin/vocabulary.html", context)


def _form_page(request: HttpRequest, form: Form, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "page_title": title, "header_icon": "list-ul", **more}
    return render(request, "cms/admin/vocabulary_form.html", context)


@officers_only
def add_fact(request: HttpRequest) -> HttpResponse:
    form = FactForm(request.POST or None, vocabulary=current_vocabulary(), initial={"scope": "enterprise"})
    if request.method == "POST" and form.is_valid():
        definition = form.definition()
        told = _("已新增事实“%(label)s”，立即可用") % {"label": definition["label"]}
        if _change(request, form, lambda: service.save_fact(definition=definition, now=timezone.now()), told):
            return redirect("cms_vocabulary:index")
    return _form_page(request, form, _("新增事实"))


@officers_only
def edit_fact(request: HttpRequest, key: str) -> HttpResponse:
    vocabulary = current_vocabulary()
    if key not in vocabulary.facts:
        raise Http404
    form = FactForm(
        request.POST or None, vocabulary=vocabulary, existing=key, initial=FactForm.initial_of(vocabulary, key)
    )
    if request.method == "POST":
        if "remove" in request.POST:
            told = _("已删除事实 %(key)s") % {"key": key}
            _change(request, None, lambda: service.remove_fact(key=key, now=timezone.now()), told)
            return redirect("cms_vocabulary:index")
        if form.is_valid():
            definition = form.definition()
            told = _("已修改事实 %(key)s") % {"key": key}
            if _change(request, form, lambda: service.save_fact(definition=definition, now=timezone.now()), told):
                return redirect("cms_vocabulary:index")
    return _form_page(request, form, _("修改事实"), removable=True)


@officers_only
def add_list(request: HttpRequest) -> HttpResponse:
    form = CodeListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        told = _("已新增代码表 %(name)s") % {"name": values["name"]}
        if _change(request, form, lambda: service.add_code_list(**values, now=timezone.now()), told):
            return redirect("cms_vocabulary:list", values["name"])
    return _form_page(request, form, _("新增代码表"))


@officers_only
def code_list(request: HttpRequest, name: str) -> HttpResponse:
    codes = current_vocabulary().code_lists.get(name)
    if codes is None:
        raise Http404
    if request.method == "POST" and "remove" in request.POST:
        told = _("已删除代码表 %(name)s") % {"name": name}
        done = _change(request, None, lambda: service.remove_code_list(name=name, now=timezone.now()), told)
        return redirect("cms_vocabulary:index") if done else redirect("cms_vocabulary:list", name)
    rows = [
        {"code": code, "label": label, "parent": codes.parents.get(code, "")} for code, label in codes.codes.items()
    ]
    context = {"list": codes, "rows": rows, "page_title": _("代码表 %(name)s") % {"name": name}}
    return render(request, "cms/admin/vocabulary_list.html", {**context, "header_icon": "list-ul"})


@officers_only
def add_code(request: HttpRequest, name: str) -> HttpResponse:
    return _code(request, name, None)


@officers_only
def edit_code(request: HttpRequest, name: str, code: str) -> HttpResponse:
    return _code(request, name, code)


def _code(request: HttpRequest, name: str, code: str | None) -> HttpResponse:
    codes = current_vocabulary().code_lists.get(name)
    if codes is None or (code is not None and code not in codes.codes):
        raise Http404
    initial = {"code": code, "label": codes.label(code), "parent": codes.parents.get(code, "")} if code else {}
    form = CodeForm(request.POST or None, code_list=codes, existing=code, initial=initial)
    if request.method == "POST":
        if code is not None and "remove" in request.POST:
            told = _("已删除代码 %(code)s") % {"code": code}
            _change(request, None, lambda: service.remove_code(list_name=name, code=code, now=timezone.now()), told)
            return redirect("cms_vocabulary:list", name)
        if form.is_valid():
            values = {**form.cleaned_data, "parent": form.cleaned_data.get("parent") or None}
            told = _("已保存代码“%(label)s”，立即可用") % {"label": values["label"]}
            if _change(request, form, lambda: service.save_code(list_name=name, **values, now=timezone.now()), told):
                return redirect("cms_vocabulary:list", name)
    title = _("修改代码") if code else _("新增代码")
    return _form_page(request, form, f"{title}：{name}", removable=code is not None, list_name=name)

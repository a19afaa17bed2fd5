"""People, their roles in the district, and the legal representatives of enterprises."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from matching.models import Enterprise
from matching.registry.models import Department
from portal.accounts import services
from portal.accounts.access import role_required
from portal.accounts.models import RoleAssignment, StaffRole, User
from portal.accounts.views import invitation_link
from portal.forms import PHONE, add_errors, typed

PER_PAGE = 50


class PersonForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["username", "full_name", "phone", "email", "is_active"]
        labels = {
            "username": gettext_lazy("账户名"),
            "email": gettext_lazy("邮箱"),
            "is_active": gettext_lazy("账户可用"),
        }
        help_texts = {
            "username": gettext_lazy("登录用，可用手机号或工号。"),
            "is_active": gettext_lazy("停用后不能登录，办过的事项都保留。"),
        }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["full_name"].required = True
        self.fields["phone"].validators.append(PHONE)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("角色"), choices=StaffRole.choices)
    department = forms.ModelChoiceField(
        label=gettext_lazy("部门"), queryset=Department.objects.all(), required=False, empty_label=gettext_lazy("全区")
    )


class LegalRepresentativeForm(forms.Form):
    credit_code = forms.CharField(
        label=gettext_lazy("统一社会信用代码"),
        max_length=18,
        help_text=gettext_lazy("该企业须已登记。原法定代表人的授权会同时终止。"),
    )

    def clean_credit_code(self) -> Enterprise:
        code = str(self.cleaned_data["credit_code"]).strip().upper()
        enterprise = Enterprise.objects.filter(credit_code=code).first()
        if enterprise is None:
            raise ValidationError(_("没有登记过这家企业。请核对代码，或先导入企业信息。"))
        return enterprise


@role_required(StaffRole.ADMINISTRATOR)
def people(request: HttpRequest) -> HttpResponseBase:
    """People by name, with their roles; searched by name, account or phone."""
    query = typed(request.GET, "q", most=60)
    role = request.GET.get("role", "")
    found = User.objects.order_by("username").prefetch_related(
        "role_assignments__department", "memberships__enterprise"
    )
    if query:
        found = found.filter(Q(username__icontains=query) | Q(full_name__icontains=query) | Q(phone__icontains=query))
    if role in StaffRole.values:
        found = found.filter(role_assignments__role=role).distinct()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/admin/people.html",
        {"page": page, "query": query, "role": role, "roles": StaffRole.choices},
    )


@role_required(StaffRole.ADMINISTRATOR)
def person_new(request: HttpRequest) -> HttpResponseBase:
    form = PersonForm(request.POST or None, initial={"is_active": True})
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.set_unusable_password()
        user.save()
        messages.success(
            request, _("已开通账户。请将邀请链接交给本人设置密码：%(link)s") % {"link": invitation_link(user)}
        )
        return redirect("desk:person", user.pk)
    return render(request, "desk/admin/person.html", {"form": form})


@role_required(StaffRole.ADMINISTRATOR)
def person(request: HttpRequest, user_id: int) -> HttpResponseBase:
    """One person: account, roles, and the enterprise they represent."""
    user = get_object_or_404(User, pk=user_id)
    form = PersonForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("已保存。"))
        return redirect("desk:person", user.pk)
    return render(request, "desk/admin/person.html", _person_context(user, form))


@role_required(StaffRole.ADMINISTRATOR)
@require_POST
def grant(request: HttpRequest, user_id: int) -> HttpResponseBase:
    user = get_object_or_404(User, pk=user_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            services.grant_role(user=user, **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("已授予角色。"))
    else:
        messages.error(request, _("请从列表中选择角色和部门。"))
    return redirect("desk:person", user.pk)


@role_required(StaffRole.ADMINISTRATOR)
@require_POST
def revoke(request: HttpRequest, user_id: int, assignment_id: int) -> HttpResponseBase:
    assignment = get_object_or_404(RoleAssignment, pk=assignment_id, user_id=user_id)
    if assignment.user_id == request.user.pk and assignment.role == StaffRole.ADMINISTRATOR:
        messages.error(request, _("不能收回自己的系统管理员角色，请由另一位管理员操作。"))
    else:
        services.revoke_role(assignment_id=assignment.pk)
        messages.success(request, _("已收回角色，即时生效。"))
    return redirect("desk:person", user_id)


@role_required(StaffRole.ADMINISTRATOR)
@require_POST
def appoint(request: HttpRequest, user_id: int) -> HttpResponseBase:
    """Make a person the legal representative of an enterprise, in place of the one before."""
    user = get_object_or_404(User, pk=user_id)
    form = LegalRepresentativeForm(request.POST)
    if form.is_valid():
        try:
            services.appoint_legal_representative(
                user=user, enterprise=form.cleaned_data["credit_code"], now=timezone.now()
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("已登记为法定代表人。"))
            return redirect("desk:person", user.pk)
    return render(
        request, "desk/admin/person.html", {**_person_context(user, PersonForm(instance=user)), "legal_form": form}
    )


@role_required(StaffRole.ADMINISTRATOR)
@require_POST
def invite(request: HttpRequest, user_id: int) -> HttpResponseBase:
    """A link by which the person sets a new password."""
    user = get_object_or_404(User, pk=user_id)
    messages.success(request, _("请将此链接交给本人设置密码（三天内有效）：%(link)s") % {"link": invitation_link(user)})
    return redirect("desk:person", user.pk)


def _person_context(user: User, form: forms.BaseForm) -> dict[str, object]:
    return {
        "person": user,
        "form": form,
        "assignments": user.role_assignments.select_related("department").order_by("role", "id"),
        "memberships": user.memberships.select_related("enterprise").order_by("revoked_at", "-granted_at"),
        "role_form": RoleForm(),
        "legal_form": LegalRepresentativeForm(),
    }

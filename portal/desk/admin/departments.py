"""Departments of the district."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from matching.registry.models import Department
from portal.accounts.access import role_required
from portal.accounts.models import StaffRole


class DepartmentForm(forms.ModelForm):
    class Meta:
        model = Department
        fields = ["code", "name", "short_name", "phone", "address"]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # Files and policies name the department by its code.
            self.fields["code"].disabled = True


@role_required(StaffRole.ADMINISTRATOR)
def departments(request: HttpRequest) -> HttpResponseBase:
    rows = Department.objects.annotate(items=Count("policy_items", distinct=True))
    return render(request, "desk/admin/departments.html", {"departments": rows})


@role_required(StaffRole.ADMINISTRATOR)
def department(request: HttpRequest, department_id: int | None = None) -> HttpResponseBase:
    """A new department, or a change of one."""
    instance = get_object_or_404(Department, pk=department_id) if department_id is not None else None
    form = DepartmentForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("已保存。"))
        return redirect("desk:departments")
    return render(request, "desk/admin/department.html", {"form": form, "department": instance})

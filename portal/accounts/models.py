"""People: who they are, what they may do, for whom they may act."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from matching.models import Enterprise
from matching.registry.models import Department


class User(AbstractUser):
    """One natural person. Staff and enterprise people are the same kind of account; roles and memberships differ."""

    full_name = models.CharField(_("姓名"), max_length=60)
    phone = models.CharField(_("手机号"), max_length=20, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("用户")

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name or self.username

    def get_short_name(self) -> str:
        return self.full_name or self.username


class StaffRole(models.TextChoices):
    """What a person of the district may do; the codes are those of `disbursement.domain.workflow`."""

    POLICY_OFFICER = "policy_officer", _("政策专员")
    ACCEPTOR = "acceptor", _("受理人")
    REVIEWER = "reviewer", _("初审人")
    SECOND_REVIEWER = "second_reviewer", _("复审人")
    FINANCE_MAKER = "finance_maker", _("财务经办")
    FINANCE_CHECKER = "finance_checker", _("财务复核")
    FINANCE_APPROVER = "finance_approver", _("财务审批")
    SUPERVISOR = "supervisor", _("督查")
    ADMINISTRATOR = "administrator", _("系统管理员")


class RoleAssignment(models.Model):
    """A role held by a person in a department (empty: in the whole district)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="role_assignments", verbose_name=_("人员")
    )
    role = models.CharField(_("角色"), max_length=20, choices=StaffRole.choices)
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="role_assignments",
        verbose_name=_("部门"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("角色授权")
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "department"], name="accounts_role_once"),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(department__isnull=True),
                name="accounts_role_once_districtwide",
            ),
            models.CheckConstraint(condition=Q(role__in=StaffRole.values), name="accounts_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}：{self.get_role_display()}"


class RoleChange(models.Model):
    """A role that was granted, or ended, for ever (append-only); written with each change of a `RoleAssignment`.

    Ids without foreign keys: a row outlives the person's account and the department. `at` is the database's clock.
    """

    user_id = models.BigIntegerField(_("人员"), db_index=True)
    role = models.CharField(_("角色"), max_length=20)
    department_id = models.BigIntegerField(_("部门"), null=True, blank=True)
    is_granted = models.BooleanField(_("授予"))
    at = models.DateTimeField(_("时间"), db_default=Now())

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("角色变动")

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {'+' if self.is_granted else '-'}"


class MembershipKind(models.TextChoices):
    LEGAL_REPRESENTATIVE = "legal", _("法定代表人")
    AGENT = "agent", _("经办人")


class Membership(models.Model):
    """A person may act for an enterprise (授权): its legal representative, or an agent that it authorised."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("人员")
    )
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="memberships", verbose_name=_("企业"))
    kind = models.CharField(_("身份"), max_length=10, choices=MembershipKind.choices)
    granted_at = models.DateTimeField(_("授权时间"))
    revoked_at = models.DateTimeField(_("撤销时间"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("企业授权")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "enterprise"],
                condition=Q(revoked_at__isnull=True),
                name="accounts_membership_one_alive",
            ),
            models.UniqueConstraint(
                fields=["enterprise"],
                condition=Q(revoked_at__isnull=True, kind="legal"),
                name="accounts_membership_one_legal_representative",
            ),
            models.CheckConstraint(condition=Q(kind__in=MembershipKind.values), name="accounts_membership_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} → {self.enterprise}"

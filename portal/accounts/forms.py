"""Forms of the accounts pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.accounts import throttle


class LoginForm(AuthenticationForm):
    """Name and password. One message for a wrong name and a wrong password, and a pause after too many."""

    error_messages = {
        "invalid_login": _("账户名或密码不正确。请检查后重试；还可再试 %(left)s 次。"),
        "inactive": _("该账户已停用。请联系系统管理员。"),
        "paused": _("连续输错次数过多，请等待 5 分钟后再试，或联系系统管理员重设密码。"),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = _("账户名")
        self.fields["password"].label = _("密码")
        self.left = throttle.MAX_FAILURES

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username") or ""
        address = (self.request.META.get("REMOTE_ADDR") or "") if self.request else ""
        if throttle.is_paused(username=username, address=address):
            raise ValidationError(self.error_messages["paused"], code="paused")
        try:
            cleaned = super().clean()
        except ValidationError as error:
            if error.code != "invalid_login":
                raise
            left = throttle.note_failure(username=username, address=address)
            if not left:
                raise ValidationError(self.error_messages["paused"], code="paused") from error
            raise ValidationError(
                self.error_messages["invalid_login"], code="invalid_login", params={"left": left}
            ) from error
        throttle.forget_failures(username=username, address=address)
        return cleaned


class AgentForm(forms.Form):
    username = forms.CharField(
        label=_("经办人账户名"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=_(
            "经办人已有账户的，填写其账户名；没有的，填写一个新账户名（可用手机号），系统会给出设置密码的邀请链接。"
        ),
    )
    full_name = forms.CharField(label=_("经办人姓名"), max_length=60)


class ChooseForm(forms.Form):
    enterprise = forms.IntegerField(min_value=1, max_value=10**18)

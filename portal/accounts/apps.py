from django.apps import AppConfig
from django.forms import ChoiceField, Field, FileField, ModelChoiceField
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        from portal.accounts import history  # noqa: F401 - notes each role that is granted or ended

        self._say_what_is_missing()

    def _say_what_is_missing(self) -> None:
        """Words for what every form may lack: Django's own Chinese says 必需字段, which tells nobody what to do."""
        # Each class keeps messages of its own; a form copies them when it is defined, after this.
        Field.default_error_messages = {**Field.default_error_messages, "required": _("请填写这一项。")}
        for choice in (ChoiceField, ModelChoiceField):
            choice.default_error_messages = {**choice.default_error_messages, "required": _("请选择一项。")}
        FileField.default_error_messages = {**FileField.default_error_messages, "required": _("请选择文件。")}

from functools import partial

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured


class DisbursementConfig(AppConfig):
    name = "disbursement"

    def ready(self) -> None:
        from django.conf import settings

        from disbursement import receivers  # noqa: F401 - subscribes to the outbox
        from disbursement.audit import signing  # noqa: F401 - signs what each database session writes
        from disbursement.domain.setup import BadSetting, parse_payers, parse_tiers
        from disbursement.treasury.formats import name_return_tables, name_voucher_elements
        from matching.registry.models import Fund

        name_voucher_elements(settings.HUIDA_VOUCHER_TAGS)
        name_return_tables(settings.HUIDA_RETURN_COLUMNS)
        # What cannot be right is refused at start, not in the month's night.
        for name, parse in (
            ("HUIDA_PAYERS", partial(parse_payers, funds=Fund.values)),
            ("HUIDA_APPROVER_TIERS", parse_tiers),
        ):
            try:
                parse(getattr(settings, name))
            except BadSetting as error:
                raise ImproperlyConfigured(f"{name}: {error}") from error

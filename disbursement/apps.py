from django.apps import AppConfig


class DisbursementConfig(AppConfig):
    name = "disbursement"

    def ready(self) -> None:
        from django.conf import settings

        from disbursement import receivers  # noqa: F401 - subscribes to the outbox
        from disbursement.audit import signing  # noqa: F401 - signs what each database session writes
        from disbursement.treasury.formats import name_return_tables, name_voucher_elements

        name_voucher_elements(settings.HUIDA_VOUCHER_TAGS)
        name_return_tables(settings.HUIDA_RETURN_COLUMNS)

from django.apps import AppConfig


class DisbursementConfig(AppConfig):
    name = "disbursement"

    def ready(self) -> None:
        from disbursement import receivers  # noqa: F401 - subscribes to the outbox

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    name = "matching"

    def ready(self) -> None:
        from matching import receivers, receivers_index  # noqa: F401 - subscribe to the outbox

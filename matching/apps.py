from django.apps import AppConfig


class MatchingConfig(AppConfig):
    name = "matching"

    def ready(self) -> None:
        from matching import lookups, receivers, receivers_index  # noqa: F401 - each registers itself

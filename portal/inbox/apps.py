from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "portal.inbox"
    label = "inbox"

    def ready(self) -> None:
        from portal.inbox import receivers  # noqa: F401 - subscribes to the outbox

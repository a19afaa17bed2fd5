from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    label = "portal"
    verbose_name = "惠达"

    def ready(self) -> None:
        from portal.public import personal  # noqa: F401 - names what fits a reader's enterprise

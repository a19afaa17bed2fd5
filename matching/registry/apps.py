from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "matching.registry"
    label = "registry"

from django.apps import AppConfig


class EnterpriseConfig(AppConfig):
    name = "portal.enterprise"
    label = "enterprise_desk"

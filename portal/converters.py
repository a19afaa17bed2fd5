"""How ids look in addresses: few enough digits that no database refuses the number; anything else is a 404."""

from django.urls import register_converter


class PkConverter:
    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


def register() -> None:
    """Make `<pk:name>` known to the URL patterns; called once, by `portal.urls`."""
    register_converter(PkConverter, "pk")

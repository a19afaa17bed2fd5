"""The district's day: instants are turned into dates in Asia/Shanghai, whatever the server's zone is."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def day_of(now: datetime) -> date:
    """The calendar day in Asia/Shanghai of an aware datetime. ValueError for a naive one."""
    if now.tzinfo is None:
        raise ValueError("an aware datetime is needed, this one has no time zone")
    return now.astimezone(SHANGHAI).date()

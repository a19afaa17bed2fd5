"""Make the front page, the policy library and the group of policy officers."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from cms.services.setup import setup_cms
from matching.services.vocabulary import ensure_default


class Command(BaseCommand):
    help = "建立首页、政策库和“政策专员”用户组；可反复运行"

    def handle(self, *args: Any, **options: Any) -> None:
        library = setup_cms(district=settings.HUIDA_DISTRICT)
        revision = ensure_default(now=timezone.now())
        self.stdout.write(f"政策库：{library.url_path}；现行词表：{revision}")

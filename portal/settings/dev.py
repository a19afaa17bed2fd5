"""One machine, no services: the settings of `make demo` and of development."""

from .base import *  # noqa: F403 - a settings module is its base with changes
from .base import VAR_DIR, env

DEBUG = env.bool("DEBUG", default=True)
SERVE_MEDIA = True
SECRET_KEY = env.str("SECRET_KEY", default="only-for-development-and-the-demo-never-for-production")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
VAR_DIR.mkdir(parents=True, exist_ok=True)

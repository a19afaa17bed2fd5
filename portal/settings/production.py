"""Production: every secret and every service must be named by the environment, or nothing starts."""

from .base import *  # noqa: F403 - a settings module is its base with changes
from .base import HUIDA_PAYER, STORAGES, env

SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS")
env.str("DATABASE_URL")  # read by the base; here nothing starts without it
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL")
CELERY_TASK_ALWAYS_EAGER = False
CACHES = {"default": env.cache_url("CACHE_URL")}
HUIDA_BASE_URL = WAGTAILADMIN_BASE_URL = env.str("HUIDA_BASE_URL")
HUIDA_PAYER["account_number"] = env.str("HUIDA_PAYER_ACCOUNT")
vars().update(env.email_url("EMAIL_URL"))

STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

"""Settings shared by every environment. Values come from the environment; see docs/operations.md for the list.

The embedded default is one machine with no services: SQLite, the in-memory matcher, tasks run eagerly.
`DATABASE_URL`, `CELERY_BROKER_URL` and `CACHE_URL` alone move the same code to PostgreSQL and Redis.
"""

from pathlib import Path
from typing import Any

import environ

from portal.celery_schedule import CELERY_BEAT_SCHEDULE  # noqa: F401 - a setting like the others

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

VAR_DIR = Path(env.str("HUIDA_VAR_DIR", default=str(BASE_DIR / "var")))

DEBUG = False
# Earlier keys: what they signed stays good after SECRET_KEY was changed.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "portal.accounts",
    "portal.inbox",
    "portal.enterprise",
    "portal.desk",
    "portal.demo",
    "portal.apps.PortalConfig",
    "cms",
    "disbursement",
    "matching",
    "matching.registry",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "portal.middleware.explain_refused_method",
    "portal.middleware.say_what_may_be_loaded",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context_processors.site",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'huida.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A deferred SQLite transaction that reads and then writes fails when another writer came between;
    # taking the write lock at BEGIN lets it wait instead.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    )
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", env.int("DATABASE_CONN_MAX_AGE", default=60))
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
    # The rows of a statement's transition tables are guessed too high, and what takes milliseconds was compiled anew
    # for each statement of a month's run. What DATABASE_URL says itself (`?options=…`) stands.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://huida")}

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home-for-role"
LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
MEDIA_URL = "/media/"
SERVE_MEDIA = False  # by Django itself: development and the demo only
MEDIA_ROOT = VAR_DIR / "media"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What enterprises hand in: outside MEDIA_ROOT, so that no web server serves it.
    "private": {
        "BACKEND": "disbursement.storage.PrivateStorage",
        "OPTIONS": {"location": VAR_DIR / "private"},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="huida@localhost")
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))

# Celery only wakes work up; the database decides what is to be done. Without a broker, tasks run eagerly.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or "memory://localhost/"
CELERY_TASK_ALWAYS_EAGER = CELERY_BROKER_URL.startswith("memory:")
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

WAGTAIL_SITE_NAME = "惠达"
WAGTAILADMIN_BASE_URL = env.str("HUIDA_BASE_URL", default="http://localhost:8000")
WAGTAIL_I18N_ENABLED = False
# A forgotten password is set anew by a link from an administrator, never by whoever reads a mailbox.
WAGTAIL_PASSWORD_RESET_ENABLED = False
# Finds Chinese by any part of a word; the full-text ones take a whole sentence without spaces for one word.
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database.fallback"}}
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAILDOCS_EXTENSIONS = [
    "csv",
    "doc",
    "docx",
    "jpg",
    "ods",
    "odt",
    "pdf",
    "png",
    "pptx",
    "txt",
    "xls",
    "xlsx",
    "zip",
]

# Where public links in notices, QR codes and e-mails point.
HUIDA_BASE_URL = WAGTAILADMIN_BASE_URL
HUIDA_DISTRICT = env.str("HUIDA_DISTRICT", default="青羊区")
# The matcher behind matching.backends: "memory" needs no service, "elasticsearch" falls back on it.
HUIDA_MATCHER = env.str("HUIDA_MATCHER", default="memory")
# The nodes, separated by commas: where one fails, the next is asked. https://user:password@host:9200 is understood.
ELASTICSEARCH_URL = env.str("ELASTICSEARCH_URL", default="http://127.0.0.1:9200")
ELASTICSEARCH_API_KEY = env.str("ELASTICSEARCH_API_KEY", default="")
ELASTICSEARCH_CA_CERTS = env.str("ELASTICSEARCH_CA_CERTS", default="")  # a file; empty: the system's authorities
ELASTICSEARCH_INDEX_PREFIX = env.str("ELASTICSEARCH_INDEX_PREFIX", default="huida")
# Seconds after which a question is given up and put to the embedded engine.
ELASTICSEARCH_TIMEOUT = env.float("ELASTICSEARCH_TIMEOUT", default=5.0)
# Seconds in which a server that is well tells that it is: the health page, and the knock at one that was away.
ELASTICSEARCH_PROBE_TIMEOUT = env.float("ELASTICSEARCH_PROBE_TIMEOUT", default=1.0)
# The search behind matching.search: "memory" needs no service.
HUIDA_SEARCH = env.str("HUIDA_SEARCH", default="memory")
# Day of the month on which a payment cycle is cut off; moved to a working day.
HUIDA_CUTOFF_DAY = env.int("HUIDA_CUTOFF_DAY", default=20)
# Folder into which sealed payment files are handed over.
HUIDA_TREASURY_OUTBOX = Path(env.str("HUIDA_TREASURY_OUTBOX", default=str(VAR_DIR / "treasury")))
# Folders of the gateways that are shared folders (SFTP): each has its own below this one, with `out` and `in`.
HUIDA_TREASURY_FOLDERS = Path(env.str("HUIDA_TREASURY_FOLDERS", default=str(VAR_DIR / "treasury-folders")))
# A file in a shared folder without a .done marker is read when nothing has touched it for so long.
HUIDA_TREASURY_QUIET_SECONDS = env.float("HUIDA_TREASURY_QUIET_SECONDS", default=10.0)
# Whether a line of a return must name the payee's account to be posted; without it, id and amount decide alone.
HUIDA_RETURNS_NEED_ACCOUNT = env.bool("HUIDA_RETURNS_NEED_ACCOUNT", default=True)
# Other names for elements of the treasury voucher, as JSON {"root": "…", …}; see docs/payment-files.md.
HUIDA_VOUCHER_TAGS: dict[str, str] = env.json("HUIDA_VOUCHER_TAGS", default={})
# Banks' own headings and words in CSV and XLSX returns, as JSON [{"name", "columns", "results", "trailer"}]; see
# docs/payment-files.md. Ours are always read.
HUIDA_RETURN_COLUMNS: list[dict[str, Any]] = env.json("HUIDA_RETURN_COLUMNS", default=[])
# Format of payment files unless the maker chooses another: bank_csv, bank_xlsx, pain001, voucher or vouchergbk.
HUIDA_PAYMENT_FORMAT = env.str("HUIDA_PAYMENT_FORMAT", default="bank_csv")
# Keys with which database sessions sign what they write (the first signs, all are accepted); empty: the SECRET_KEY.
HUIDA_AUDIT_KEYS: list[str] = env.list("HUIDA_AUDIT_KEYS", default=[])
# Whether applications with a signed promise (告知承诺) may be accepted and recommended many at once.
HUIDA_BULK_WITH_PROMISES = env.bool("HUIDA_BULK_WITH_PROMISES", default=False)
# Shares in % of a month's decided applications, and of its promises, that are drawn for a check of quality.
HUIDA_QUALITY_SHARE = env.int("HUIDA_QUALITY_SHARE", default=10)
HUIDA_PROMISE_SHARE = env.int("HUIDA_PROMISE_SHARE", default=20)
# Whether the machine may decide what items let it decide (免申即享, 即申即享); off, people decide everything.
HUIDA_MACHINE_DECIDES = env.bool("HUIDA_MACHINE_DECIDES", default=True)
# Share in % of the machine's decisions that people audit, where an item names none.
HUIDA_MACHINE_SHARE = env.int("HUIDA_MACHINE_SHARE", default=10)
# Append-only tables of other rooms that audits cover, and who tells them which roles a person held when.
HUIDA_AUDITED_TABLES = ("accounts_rolechange",)
HUIDA_ROLE_HISTORY = "portal.accounts.history.RoleHistory"
# The people of finance, for what must know who could sign.
HUIDA_FINANCE_STAFF = "portal.accounts.people.finance_staff"
# Who could give a department's opinion on another department's application (会审).
HUIDA_JOINT_STAFF = "portal.accounts.people.joint_reviewers"
# The account that pays, as it stands in payment files; the default number is plainly no account.
HUIDA_PAYER = {
    "name": env.str("HUIDA_PAYER_NAME", default=f"{HUIDA_DISTRICT}财政局"),
    "account_number": env.str("HUIDA_PAYER_ACCOUNT", default="0000000000000000"),
    "bank_name": env.str("HUIDA_PAYER_BANK", default="国库集中支付代理银行"),
    "bank_code": env.str("HUIDA_PAYER_BANK_CODE", default=""),
}
# Other accounts that pay, as JSON [{"codes": [budget codes], "funds": ["central", …], "name", "account_number",
# "bank_name", "bank_code"}]; the account above pays for every other line.
HUIDA_PAYERS: list[dict[str, Any]] = env.json("HUIDA_PAYERS", default=[])
# ClamAV's daemon: unix:///run/clamav/clamd.ctl or tcp://host:3310. Empty: files are checked, but not scanned.
CLAMAV_SOCKET = env.str("CLAMAV_SOCKET", default="")
# Seconds that one scan may take, from the first byte sent to the verdict.
CLAMAV_TIMEOUT = env.float("CLAMAV_TIMEOUT", default=20.0)
# What becomes of a file that comes in while the scanner is away: "refuse", or "quarantine" (kept, and opened by nobody
# before it is scanned).
CLAMAV_WHEN_AWAY = env.str("CLAMAV_WHEN_AWAY", default="refuse")
# Sources of facts that prove a condition without a paper, beside the authority that the vocabulary names for a fact.
HUIDA_TRUSTED_SOURCES: list[str] = env.list("HUIDA_TRUSTED_SOURCES", default=["数据共享交换平台"])
# A batch of this total in 元 or more takes a second approver.
HUIDA_SECOND_APPROVER_FROM = env.int("HUIDA_SECOND_APPROVER_FROM", default=5_000_000)
# More tiers in its place, as TOTAL:APPROVERS, rising: 0:1,5000000:2,20000000:3.
HUIDA_APPROVER_TIERS: list[str] = env.list("HUIDA_APPROVER_TIERS", default=[])

X_FRAME_OPTIONS = "DENY"  # Wagtail allows its own previews, and only these, a frame of the same site
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}

"""Settings, from environment variables with defaults that run a whole product on one machine."""

import os
import secrets
from pathlib import Path

from csp.constants import NONE, SELF

from config import clients, env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# -- where things are ---------------------------------------------------------------------------
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var", "folder for everything that `make run` keeps")
PORT = env.integer("PORT", 8080, "port of the web server")
HOST = env.text("HOST", "127.0.0.1", "address that the web server listens on")
WEB_WORKERS = env.integer("WEB_WORKERS", 1, "web worker processes")
WEB_THREADS = env.integer(
    "WEB_THREADS",
    0,
    "requests that one web worker serves at once, each with a database connection; "
    "0: two a processor and one, at most 8",
)
WEB_THREADS = WEB_THREADS or min(8, 2 * (os.cpu_count() or 1) + 1)
DEMO = env.boolean("DEMO", True, "run the worked example (examples/shop) in `make run`")
DEBUG = env.boolean("DEBUG", False, "Django's debug pages; never in production")
LOG_LEVEL = env.text("LOG_LEVEL", "INFO", "least severe message that is logged").upper()

# -- security -----------------------------------------------------------------------------------


def _kept_secret(file: Path) -> str:
    """Read the signing key from VAR_DIR, made at first use and readable by its owner alone."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(50))
        return file.read_text()
    except OSError as error:
        said = f"VAR_DIR={str(file.parent)!r}: cannot keep files there: {error.strerror}"
        raise env.SettingInvalidError(said) from error


SECRET_KEY = env.text("SECRET_KEY", "", "signs cookies; default: made once under VAR_DIR")
SECRET_KEY = SECRET_KEY or _kept_secret(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "host names that the web server answers to"
)
if HOST not in {"0.0.0.0", "::", *ALLOWED_HOSTS}:  # noqa: S104  (compared, not bound)
    ALLOWED_HOSTS.append(f"[{HOST}]" if ":" in HOST else HOST)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS", "", "origins (https://…) that may post forms from behind a proxy"
)
HTTPS = env.boolean("HTTPS", False, "served over HTTPS: secure cookies and HSTS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # the graph's layout engine is WebAssembly; nothing inline, nothing from elsewhere
        "script-src": [SELF, "'wasm-unsafe-eval'"],
        # a drawing that is saved as PNG is painted from a blob of the page's own
        "img-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# -- Kafka --------------------------------------------------------------------------------------
KAFKA_BOOTSTRAP_SERVERS = env.text(
    "KAFKA_BOOTSTRAP_SERVERS", "", "your Kafka; empty: `make run` starts an embedded one"
)
KAFKA_CLUSTER_NAME = env.text("KAFKA_CLUSTER_NAME", "local", "what pages call that cluster")
COPIES_POSTGRES_URL = env.text(
    "COPIES_POSTGRES_URL",
    "",
    "database of the worked example's PostgreSQL copy; empty: `make run` starts an embedded one",
)
CONNECTOR_MEMORY_MIB = env.integer(
    "CONNECTOR_MEMORY_MIB", 1024, "memory that one regeneration may fold a log in; beyond: on disk"
)
CONNECTOR_PROCESSES = env.integer(
    "CONNECTOR_PROCESSES",
    3,
    "processes that one regeneration may start to share its work, where there are processors to "
    "spare; 0: none",
)
KAFKA_CLIENT_FILES = env.words(
    "KAFKA_CLIENT_FILES",
    "",
    "files with security settings of clusters (SASL, TLS), each with its bootstrap.servers",
)
# named so that Django's debug pages hide it
KAFKA_CLIENT_SECRETS = clients.read_security(KAFKA_CLIENT_FILES)
KAFKA_CONNECT_URLS = env.words(
    "KAFKA_CONNECT_URLS", "", "REST addresses of Kafka Connect, one worker of each Connect cluster"
)
KAFKA_CONNECT_REGISTRY_URL = env.text(
    "KAFKA_CONNECT_REGISTRY_URL",
    "http://localhost:8080",
    "this registry's address as the workers of Kafka Connect reach it",
)
KAFKA_CONNECT_SECRET = env.text(
    "KAFKA_CONNECT_SECRET",
    "${env:{name}}",
    "how a deployed connector refers to a password: a config provider of Kafka Connect's workers "
    "and `{name}`, as in `${file:/etc/kafka/secrets.properties:{name}}`",
)
HISTORY_BYTES = env.integer(
    "HISTORY_BYTES",
    4 * 1024 * 1024,
    "how much of old logs one sample reads back, in bytes, until all was read once; 0: none",
)
SAMPLE_SECONDS = env.number("SAMPLE_SECONDS", 5.0, "seconds between two samples of a cluster")
LEDGER_EXACT_DAYS = env.number(
    "LEDGER_EXACT_DAYS",
    14.0,
    "for so many days the ledger of lineage keeps every silence; older intervals are compacted",
)
LEDGER_RESOLUTION_HOURS = env.number(
    "LEDGER_RESOLUTION_HOURS",
    24.0,
    "longest silence that compaction closes: how late lineage as of a compacted instant may tell "
    "a node's last sign, at most",
)

# -- OpenLineage: named as the OpenLineage clients name them ---------------------------------------
OPENLINEAGE_URL = env.text(
    "OPENLINEAGE_URL",
    "",
    "server that our lineage is emitted to: http(s)://HOST; empty: none",
)
OPENLINEAGE_ENDPOINT = env.text(
    "OPENLINEAGE_ENDPOINT", "api/v1/lineage", "path at that server which takes events"
)
OPENLINEAGE_API_KEY = env.text(
    "OPENLINEAGE_API_KEY", "", "sent to that server as bearer token; empty: none"
)
OPENLINEAGE_TOPIC = env.text(
    "OPENLINEAGE_TOPIC",
    "",
    "topic of the cluster KAFKA_CLUSTER_NAME that our lineage is emitted to; empty: to none",
)
OPENLINEAGE_NAMESPACE = env.text(
    "OPENLINEAGE_NAMESPACE", "insideout", "namespace of the jobs in emitted lineage"
)
OPENLINEAGE_SECONDS = env.number(
    "OPENLINEAGE_SECONDS", 30.0, "seconds between two looks for lineage to be emitted"
)
OPENLINEAGE_RECEIVE_KEY = env.text(
    "OPENLINEAGE_RECEIVE_KEY",
    "",
    "bearer token without which no OpenLineage event is accepted; empty: none is asked for",
)
OPENLINEAGE_MAX_EVENT_BYTES = env.integer(
    "OPENLINEAGE_MAX_EVENT_BYTES", 1024 * 1024, "largest OpenLineage event accepted, in bytes"
)

# -- Django -------------------------------------------------------------------------------------
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "config.apps.ProjectConfig",
    "registry",
    "catalog",
    "lineage",
    "lineage.sampling",
    "lineage.connectors",
    "lineage.connectors.deployment",
    "lineage.openlineage",
    "lineage.derivations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.page_errors.PageErrors",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "config.views.describe_frame",
            ],
        },
    }
]
# a subject may hold any character, so paths are never rewritten
APPEND_SLASH = False
DATABASE_URL = env.text(
    "DATABASE_URL",
    f"sqlite:///{VAR_DIR / 'insideout.sqlite3'}",
    "where the product keeps its own data: sqlite:///PATH or postgresql://…",
)
DATABASES = {"default": env.database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = env.integer(
    "MAX_BODY_BYTES", 5 * 1024 * 1024, "largest request body accepted, in bytes"
)
# -- registry: limits, checked before a schema is parsed where they can be -------------------------
REGISTRY_MAX_SCHEMA_BYTES = env.integer(
    "REGISTRY_MAX_SCHEMA_BYTES", 1024 * 1024, "largest schema accepted, in bytes"
)
REGISTRY_MAX_SCHEMA_DEPTH = env.integer(
    "REGISTRY_MAX_SCHEMA_DEPTH", 100, "deepest nesting of brackets in a schema, and of references"
)
REGISTRY_MAX_SCHEMA_PARTS = env.integer(
    "REGISTRY_MAX_SCHEMA_PARTS", 100_000, "most objects and lists in one schema"
)
REGISTRY_MAX_SECONDS = env.number(
    "REGISTRY_MAX_SECONDS",
    1.0,
    "processor seconds that reading one schema, or comparing it with another, may take",
)
REGISTRY_MAX_REFERENCES = env.integer(
    "REGISTRY_MAX_REFERENCES", 1000, "most schemas that one refers to, directly or not"
)
REGISTRY_LIST_LIMIT = env.integer(
    "REGISTRY_LIST_LIMIT", 10_000, "entries of a registry list when a client names no limit"
)
REGISTRY_CACHE_BYTES = env.integer(
    "REGISTRY_CACHE_BYTES",
    32 * 1024 * 1024,
    "memory of one web worker for answers of the registry that are given again while nothing "
    "was committed to the database, in bytes; 0: none",
)
REGISTRY_MAX_KEYS = env.integer(
    "REGISTRY_MAX_KEYS", 100_000, "most KEKs, and most DEKs, that the DEK registry keeps"
)
MASK_SECRET = env.text(
    "MASK_SECRET",
    "",
    "secret with which `mask: hash` hashes the columns of copies (HMAC-SHA-256); empty: it cannot",
)
LOCAL_KMS_SECRET = env.text(
    "LOCAL_KMS_SECRET",
    "",
    "secret of local-kms, with which the DEK registry wraps keys of shared KEKs; empty: it cannot",
)

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# files are served from where they are installed: there is no collect step to forget
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.rest.Pages",
    "DEFAULT_SCHEMA_CLASS": "config.openapi_texts.RestSchema",
    "EXCEPTION_HANDLER": "config.rest.answer_error",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Insideout",
    "DESCRIPTION": "Governance for data on the outside.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    # several answers have a field `kind`, or say how certain they are
    "ENUM_NAME_OVERRIDES": {
        "TopicKindEnum": "catalog.models.Topic.Kind",
        "DerivationCertaintyEnum": ["certain", "likely"],
        "FieldCertaintyEnum": ["exact", "told", "inferred"],
        "ReachCertaintyEnum": ["certain", "likely", "possible"],
        "EdgeStateEnum": "lineage.graph.diff.STATES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.describe_problems",
        "config.openapi.name_rooms",
        "registry.api.openapi.document.add_registry",
    ],
}

# -- jobs ---------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.text(
    "CELERY_BROKER_URL", "", "redis://… in production; empty: folders under VAR_DIR"
)
if not CELERY_BROKER_URL:
    _jobs = VAR_DIR / "jobs"
    for _folder in ("queue", "control"):
        (_jobs / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_jobs / "queue"),
        "data_folder_out": str(_jobs / "queue"),
        "control_folder": str(_jobs / "control"),
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "jobs" / "beat")
CELERY_BEAT_SCHEDULE = {
    "synchronise-topics": {"task": "catalog.tasks.synchronise", "schedule": 15.0},
    "start-due-runs": {"task": "connectors.start_due_runs", "schedule": 60.0},
    "compact-ledger": {"task": "lineage.tasks.compact_ledger", "schedule": 6 * 3600.0},
}
if KAFKA_CONNECT_URLS:
    CELERY_BEAT_SCHEDULE["watch-deployments"] = {
        "task": "lineage.connectors.deployment.tasks.watch_deployments",
        "schedule": 10.0,
    }
if OPENLINEAGE_URL or OPENLINEAGE_TOPIC:
    CELERY_BEAT_SCHEDULE["emit-openlineage"] = {
        "task": "lineage.openlineage.tasks.emit",
        "schedule": OPENLINEAGE_SECONDS,
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # kafka-python tells of every connection it opens, at every sample
    "loggers": {"kafka": {"level": "WARNING"}},
}

"""Process settings: what the environment tells a Waybill process, checked once at its start."""

from __future__ import annotations

import base64
import binascii
import difflib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from connector.smtp import MailServer
from webhooks.errors import WaybillError
from webhooks.signatures import standard_key

PREFIX = "WAYBILL_"
KEY_FILE = "waybill.key"
MIB = 1024 * 1024

OTHER_VARIABLES = frozenset(
    {
        "WAYBILL_API_KEY",
        "WAYBILL_CLIENT_ID",
        "WAYBILL_CLIENT_SECRET",
        "WAYBILL_WEBHOOK_SECRET",
        "WAYBILL_DOMAIN",
        "WAYBILL_REFERENCE_DIR",
        "WAYBILL_NO_BROWSER",
    }
)
"""Variables with our prefix that are no process settings: the command line's secrets, compose and the tests."""


class SettingsError(WaybillError):
    """A setting cannot be used; the message names its variable and never repeats its value."""


def _in_data_dir(name: str, prefix: str = "") -> Callable[[dict[str, Any]], str]:
    return lambda data: f"{prefix}{Path(data.get('data_dir', 'data')) / name}"


class Settings(BaseSettings):
    """Everything that is set per process. Merchants' own choices are shop settings, not these."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    data_dir: Path = Field(
        default=Path("data"),
        description="Folder of everything that Waybill keeps in files: SQLite database, key, labels.",
    )
    database_url: str = Field(
        default_factory=_in_data_dir("waybill.db", "sqlite:///"),
        repr=False,
        description="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`. "
        "Default: `waybill.db` in the data folder.",
    )
    database_connections: int = Field(
        default=8, ge=2, le=100, description="Connections that a process keeps to PostgreSQL; SQLite has one."
    )
    label_dir: Path = Field(
        default_factory=lambda data: Path(_in_data_dir("labels")(data)),
        description="Folder of the encrypted label files. Default: `labels` in the data folder.",
    )
    files: SecretStr | None = Field(
        default=None,
        description="Bucket of an S3-compatible store for the encrypted label files, where several machines share "
        "them: `s3://KEY:SECRET@HOST[:PORT]/BUCKET[/FOLDER]`, with `?region=` (`us-east-1`) and `tls=no` where needed. "
        "Default: the folder `WAYBILL_LABEL_DIR`.",
    )
    fonts: str = Field(
        default="/usr/share/fonts/truetype/dejavu:/usr/share/fonts/truetype/noto:/usr/share/fonts",
        description="Folders with DejaVu Sans or Noto Sans for packing slips and pick lists, separated by colons.",
    )
    keys: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        repr=False,
        description="Keys that encrypt credentials and personal data, separated by commas, newest first: Fernet keys, "
        "32 bytes in URL-safe base 64. Default: the key file `waybill.key` in the data folder, made on first use.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080", description="The address under which stores and carriers reach this server."
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address that the web process listens on.")
    port: int = Field(
        default=8080, ge=0, le=65535, description="Port that the web process listens on; 0 picks a free one."
    )
    worker_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port on which the worker serves its own `/healthz` and `/metrics`. Default: it does not.",
    )
    metrics_token: SecretStr | None = Field(
        default=None, min_length=16, description="If set, `/metrics` asks for it as `Authorization: Bearer TOKEN`."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="`text` for people, `json` for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is logged: `debug`, `info`, `warning` or `error`."
    )
    worker_jobs: int = Field(default=16, ge=1, le=256, description="Jobs that one worker process runs at once.")
    lease_s: float = Field(
        default=15,
        ge=3,
        le=300,
        description="Seconds after which a worker that gives no sign of life loses its work to others.",
    )
    hook_threads: int = Field(default=4, ge=1, le=64, description="Threads of the web process that store webhooks.")
    hook_backlog: int = Field(
        default=256,
        ge=1,
        le=10000,
        description="Webhooks that may wait for such a thread; more are told to come again (503).",
    )
    storefront_per_minute: int = Field(
        default=60, ge=1, le=100_000, description="Prices before the checkout that one visitor may ask for in a minute."
    )
    storefront_shop_per_minute: int = Field(
        default=1200, ge=1, le=1_000_000, description="The same for all visitors of one shop together."
    )
    proxies: int = Field(
        default=1,
        ge=0,
        le=10,
        description="Proxies before this server that add their client to X-Forwarded-For, to tell visitors apart.",
    )
    rate_body_bytes: int = Field(
        default=MIB, ge=1024, le=64 * MIB, description="Longest body of a rate request, in bytes."
    )
    hook_body_bytes: int = Field(
        default=8 * MIB, ge=1024, le=64 * MIB, description="Longest body of a webhook, in bytes."
    )
    body_timeout_s: float = Field(
        default=5, gt=0, le=60, description="Seconds that a request's body may take to arrive."
    )
    rate_timeout_s: float = Field(
        default=8,
        gt=0,
        le=60,
        description="Seconds after which a rate request is answered with backup rates, whatever happened.",
    )
    hook_timeout_s: float = Field(
        default=4.5,
        gt=0,
        le=60,
        description="Seconds after which a webhook that is not stored yet is answered with 503.",
    )
    connections_max: int = Field(
        default=1000, ge=10, le=100000, description="Connections that the web process serves at once; more get 503."
    )
    grace_s: float = Field(
        default=20,
        ge=1,
        le=600,
        description="Seconds that a process has to finish what it does when it is told to stop.",
    )
    allow_private_addresses: bool = Field(
        default=False, description="Whether URLs that a merchant gives may lead to private addresses."
    )
    alert_mail_to: str = Field(
        default="",
        max_length=200,
        pattern=r"^$|^[^@\s,;<>]+@[^@\s,;<>]+$",
        description="Address that alerts are mailed to. A shop may name its own (`alert_mail`).",
    )
    alert_mail_from: str = Field(
        default="",
        max_length=200,
        pattern=r"^$|^[^@\s,;<>]+@[^@\s,;<>]+$",
        description="Address that alerts come from. Default: the user of `WAYBILL_SMTP_URL` if it is an address, "
        "else the recipient.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server: `smtp://USER:PASSWORD@HOST:587` (STARTTLS), `smtps://USER:PASSWORD@HOST:465`, or "
        "`smtp+plain://HOST:25` for one of your own network, without a password.",
    )
    alert_url: str = Field(
        default="", max_length=500, description="Address that alerts are posted to, as Standard Webhooks."
    )
    alert_secret: SecretStr | None = Field(
        default=None, description="Secret that signs them: `whsec_` and 24 to 64 bytes in base 64."
    )
    heartbeat_url: SecretStr | None = Field(
        default=None,
        description="Address of an outside watchdog that is asked for once a minute while web process, database and a "
        "worker live.",
    )
    tunnel_command: str | None = Field(
        default=None,
        description="The tunnel program of `waybill up --tunnel`, with its arguments; `{port}` stands for the port. It "
        "prints its https address. Default: cloudflared, ngrok or tailscale, whichever is installed.",
    )
    test_clock: str | None = Field(
        default=None,
        description="`OFFSET:SPEED` moves business time by so many seconds and lets it run faster: `3600:1` is an hour "
        "ahead, `0:60` runs sixtyfold from its first use in the data folder, or from the instant behind `@`, as in "
        "`0:60@2026-11-21T12:00:00Z`. Live shops refuse it.",
    )

    @field_validator("keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",")) if isinstance(value, str) else value

    @field_validator("keys")
    @classmethod
    def _check_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for number, key in enumerate(keys, 1):
            if not _is_key(key):
                raise ValueError(f"key {number} of {len(keys)} is not 32 bytes in URL-safe base 64")
        return keys

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("this must be an address such as https://shipping.example.com")
        return url.rstrip("/")

    @field_validator("alert_url", "heartbeat_url")
    @classmethod
    def _check_web_address(cls, url: str | SecretStr | None) -> str | SecretStr | None:
        plain = url.get_secret_value() if isinstance(url, SecretStr) else url
        if plain and (urlsplit(plain).scheme not in {"http", "https"} or not urlsplit(plain).hostname):
            raise ValueError("this must be an address such as https://alerts.example.com/waybill")
        return url

    @field_validator("files")
    @classmethod
    def _check_files(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit("" if url is None else url.get_secret_value())
        if url is not None and (
            parts.scheme != "s3" or not parts.hostname or not parts.password or len(parts.path) < 2
        ):
            raise ValueError("this must be s3://KEY:SECRET@HOST/BUCKET, perhaps with a folder, ?region= and &tls=no")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            MailServer.read(url.get_secret_value())
        return url

    @field_validator("alert_secret")
    @classmethod
    def _check_alert_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and standard_key(secret.get_secret_value()) is None:
            raise ValueError("this must be whsec_ and 24 to 64 bytes in base 64")
        return secret

    @model_validator(mode="after")
    def _alerts_fit(self) -> Self:
        if self.alert_url and self.alert_secret is None:
            raise ValueError("WAYBILL_ALERT_URL needs WAYBILL_ALERT_SECRET")
        if self.alert_mail_to and self.smtp_url is None:
            raise ValueError("WAYBILL_ALERT_MAIL_TO needs WAYBILL_SMTP_URL")
        return self

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("this must begin with sqlite:/// or postgresql://")
        return url


def read_settings() -> Settings:
    """The settings in the environment. Raises SettingsError that names the variable."""
    unknown = _unknown_variables(os.environ)
    if unknown:
        raise SettingsError(" ".join(unknown))
    try:
        return Settings()
    except ValidationError as exc:
        raise SettingsError(" ".join(_complaints(exc))) from None


def read_keys(settings: Settings) -> tuple[str, ...]:
    """The encryption keys, newest first: those set, else the key file's, which is made on first use.

    Raises SettingsError if the key file cannot be made or read, or does not hold keys.
    """
    if settings.keys:
        return settings.keys
    path = settings.data_dir / KEY_FILE
    try:
        text = keep_first(path, base64.urlsafe_b64encode(os.urandom(32)).decode() + "\n")
    except OSError as exc:
        raise SettingsError(
            f"The key file {path} cannot be used; set WAYBILL_KEYS.", detail=exc.strerror or ""
        ) from exc
    keys = tuple(text.split())
    if not keys or not all(map(_is_key, keys)):
        raise SettingsError(f"The key file {path} does not hold keys; restore it from a backup or set WAYBILL_KEYS.")
    return keys


def keep_first(path: Path, text: str) -> str:
    """Write a small private file unless it exists, and return what it holds.

    Of processes that do so at once, one writes; all return the same text, and none sees half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")


def setting_rows() -> list[tuple[str, str, str]]:
    """Variable, default and meaning of each setting, as `docs/settings.md` shows them."""
    return [(_variable(name), _default(info), info.description or "") for name, info in Settings.model_fields.items()]


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None or info.default is None or info.default == ():
        return ""
    if isinstance(info.default, bool):
        return "yes" if info.default else "no"
    return str(info.default)


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.encode(), altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {_variable(name) for name in Settings.model_fields}
    complaints = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known | OTHER_VARIABLES:
            near = difflib.get_close_matches(name, known, n=1)
            complaints.append(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "."))
    return complaints


def _complaints(exc: ValidationError) -> list[str]:
    return [
        f"{_variable(str(error['loc'][0]))}: {error['msg'].removeprefix('Value error, ')}."
        if error["loc"]
        else f"{error['msg'].removeprefix('Value error, ')}."
        for error in exc.errors(include_input=False, include_url=False, include_context=False)
    ]

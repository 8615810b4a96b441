"""The sections of config.toml that the gateway reads; every key is explained there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from media.settings import MediaSettings, Section, Settings, load_settings

_ENVIRONMENT = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_MAX_ENVIRONMENT_CHARS = 32
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


def check_environment(name: str) -> str:
    """Return the name of an AMC-clone environment; raises ValueError with the mend.

    It becomes part of a file's name (`webhook-<environment>.keys`) and of a metric's label.
    """
    if len(name) > _MAX_ENVIRONMENT_CHARS or _ENVIRONMENT.fullmatch(name) is None:
        raise ValueError(
            f"environment {name[:40]!r}: use 1 to {_MAX_ENVIRONMENT_CHARS} of a-z and 0-9, "
            "with single _ or - between them"
        )
    return name


def _base_url(value: str) -> str:
    """Return an http(s) URL without its trailing slashes; "" stays."""
    if value and _ORIGIN.match(value) is None:
        raise ValueError("write http://... or https://..., or leave it empty")
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]
EnvironmentName = Annotated[str, AfterValidator(check_environment)]
PositiveSeconds = Annotated[float, Field(gt=0)]
PositiveCount = Annotated[int, Field(ge=1)]


class ServerSettings(Section):
    """[server]: where Tell listens, and what the world calls it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: BaseUrl = ""
    drain_s: Annotated[float, Field(ge=0)] = 10.0


class SecretsSettings(Section):
    """[secrets]: the folder of the key files."""

    dir: str = "var/secrets"


class DatabaseSettings(Section):
    """[database]: where purchases, screenings and tickets are kept."""

    url: str = "sqlite:///var/tell.db"


class TokensSettings(Section):
    """[tokens]: how long what Tell signs is good for."""

    access_ttl_s: PositiveCount = 600
    margin_after_credits_s: Annotated[int, Field(ge=0)] = 1800

    @property
    def access_ttl(self) -> timedelta:
        """Life of an access token."""
        return timedelta(seconds=self.access_ttl_s)

    @property
    def margin_after_credits(self) -> timedelta:
        """Time after credits_end in which a ticket still opens its track."""
        return timedelta(seconds=self.margin_after_credits_s)


class PurchasesSettings(Section):
    """[purchases]: what Tell takes in."""

    signature_tolerance_s: PositiveCount = 300
    max_body_bytes: Annotated[int, Field(ge=1024)] = 16384
    commit_rows: PositiveCount = 50
    queue_limit: PositiveCount = 1000
    devices_per_purchase: PositiveCount = 5

    @property
    def signature_tolerance(self) -> timedelta:
        """How far webhook-timestamp may lie from now, on either side."""
        return timedelta(seconds=self.signature_tolerance_s)


class EnrichmentSettings(Section):
    """[enrichment]: how the partner is asked about a screening."""

    timeout_s: PositiveSeconds = 5.0
    retry_first_s: PositiveSeconds = 1.0
    retry_max_s: PositiveSeconds = 60.0
    concurrency: PositiveCount = 8


class PartnerSettings(Section):
    """[partners.<environment>]: one AMC-clone environment.

    An empty `poster_base_url` stands for `base_url`.
    """

    base_url: Annotated[BaseUrl, Field(min_length=1)]
    key_id: Annotated[str, Field(min_length=1, max_length=128)]
    poster_base_url: BaseUrl = ""

    @property
    def posters(self) -> str:
        """What stands before a poster_path."""
        return self.poster_base_url or self.base_url


class LoggingSettings(Section):
    """[logging]: what goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


def _default_partners() -> dict[str, PartnerSettings]:
    return {"local": PartnerSettings(base_url="http://127.0.0.1:8081", key_id="local")}


class GatewaySettings(Settings):
    """All that the gateway reads."""

    neighbours: ClassVar[frozenset[str]] = frozenset({"packager"})

    server: ServerSettings = ServerSettings()
    secrets: SecretsSettings = SecretsSettings()
    database: DatabaseSettings = DatabaseSettings()
    media: MediaSettings = MediaSettings()
    tokens: TokensSettings = TokensSettings()
    purchases: PurchasesSettings = PurchasesSettings()
    enrichment: EnrichmentSettings = EnrichmentSettings()
    partners: dict[EnvironmentName, PartnerSettings] = Field(default_factory=_default_partners)
    logging: LoggingSettings = LoggingSettings()

    @model_validator(mode="after")
    def _check_key_ids(self) -> GatewaySettings:
        # The key id chooses the environment, so two environments cannot share one.
        owners: dict[str, str] = {}
        for environment, partner in self.partners.items():
            if partner.key_id in owners:
                raise ValueError(
                    f"partners {owners[partner.key_id]} and {environment} share the key_id "
                    f"{partner.key_id!r}; give each its own"
                )
            owners[partner.key_id] = environment
        return self


def find_config(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Path of the file to read: --config, else $TELL_CONFIG, else ./config.toml if it is there."""
    if option is not None:
        return option
    if named := environ.get("TELL_CONFIG"):
        return Path(named)
    here = Path("config.toml")
    return here if here.exists() else None


def read_settings(option: Path | None, environ: Mapping[str, str] = os.environ) -> GatewaySettings:
    """Find, read and check the settings; raises SettingsError."""
    return load_settings(GatewaySettings, find_config(option, environ), environ)

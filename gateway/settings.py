"""The sections of config.toml that the gateway reads; every key is explained there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from catalog.listeners.pruning import KeepRules
from catalog.partner.answers import AnswerRules
from catalog.partner.breaker import BreakerRules
from catalog.screenings.polling_schedule import PollIntervals
from gateway.addresses import Proxies, ProxyHeader, read_networks
from gateway.origins import check_origin
from media.s3_address import is_s3, parse_s3
from media.settings import MediaSettings, Section, Settings, load_settings

# What often passes at once has this long to pass, and then twice.
_QUICK_WAIT_S = 0.1
# What is taken back is refused everywhere within two seconds: half a second of them is for the look
# itself, on a busy machine.
_LONGEST_POLL_S = 1.5
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


def check_backup_place(value: str) -> str:
    """Return a folder or s3://<bucket>[/<prefix>]; raises ValueError with the mend."""
    if is_s3(value):
        parse_s3(value)
    elif not value or "://" in value:
        raise ValueError(f"{value!r} is neither a folder nor s3://<bucket>/<prefix>")
    return value


BackupPlace = Annotated[str, AfterValidator(check_backup_place)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
EnvironmentName = Annotated[str, AfterValidator(check_environment)]
Origin = Annotated[str, AfterValidator(check_origin)]
PositiveSeconds = Annotated[float, Field(gt=0)]
PositiveCount = Annotated[int, Field(ge=1)]


class ServerSettings(Section):
    """[server]: where Tell listens, and what the world calls it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: BaseUrl = ""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    drain_s: Annotated[float, Field(ge=0)] = 10.0
    download_drain_s: Annotated[float, Field(ge=0)] = 60.0
    hand_over_s: Annotated[float, Field(ge=0)] = 60.0
    request_s: PositiveSeconds = 20.0
    idle_s: PositiveSeconds = 75.0
    stalled_s: PositiveSeconds = 60.0
    max_connections: Annotated[int, Field(ge=0)] = 0
    trusted_proxies: list[str] = Field(default_factory=list)
    proxy_header: ProxyHeader = "x-forwarded-for"
    cors_origins: list[Origin] = Field(default_factory=list)

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        read_networks(value)
        return value

    @property
    def longest_drain_s(self) -> float:
        """Seconds that a process may take to end after SIGTERM.

        Running answers get `drain_s`, and those that are then cancelled again as long at most.
        """
        return self.download_drain_s + 2 * self.drain_s

    @property
    def proxies(self) -> Proxies:
        """The proxies whose word on the client's address is taken."""
        return Proxies(read_networks(self.trusted_proxies), self.proxy_header)


class SecretsSettings(Section):
    """[secrets]: the folder of the key files, and what of them lies elsewhere."""

    dir: str = "var/secrets"
    master_key: str = ""
    ops_token: str = ""


class DatabaseSettings(Section):
    """[database]: where purchases, screenings and tickets are kept."""

    url: str = "sqlite:///var/tell.db"
    replica_url: str = ""
    password_file: str = ""


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


class LimitsSettings(Section):
    """[limits]: how often one client may come, in any minute."""

    redis_url: str = ""
    partner_per_minute_by_ip: PositiveCount = 12_000
    purchases_per_minute_by_key: PositiveCount = 12_000
    screening_events_per_minute_by_key: PositiveCount = 3_000
    claim_guesses_per_minute_by_ip: PositiveCount = 20
    playback_per_minute_by_listener: PositiveCount = 30
    ops_logins_per_minute_by_ip: PositiveCount = 10


class EnrichmentSettings(Section):
    """[enrichment]: how the partner is asked about a screening."""

    timeout_s: PositiveSeconds = 5.0
    quick_tries: PositiveCount = 3
    retry_first_s: PositiveSeconds = 1.0
    retry_max_s: PositiveSeconds = 60.0
    concurrency: PositiveCount = 8
    park_after_s: PositiveSeconds = 3600.0
    cache_url: Annotated[str, Field(min_length=1)] = "mem://"
    fresh_s: Annotated[float, Field(ge=0)] = 30.0
    stale_s: Annotated[float, Field(ge=0)] = 86400.0
    breaker_failures: PositiveCount = 5
    breaker_first_s: PositiveSeconds = 5.0
    breaker_max_s: PositiveSeconds = 60.0

    @property
    def rules(self) -> AnswerRules:
        """How the partner is asked, for catalog.partner.answers."""
        return AnswerRules(
            fresh=timedelta(seconds=self.fresh_s),
            stale=timedelta(seconds=self.stale_s),
            tries=self.quick_tries,
            wait_s=_QUICK_WAIT_S,
            tries_within_s=self.timeout_s,
            breaker=BreakerRules(
                failures=self.breaker_failures,
                first=timedelta(seconds=self.breaker_first_s),
                longest=timedelta(seconds=self.breaker_max_s),
                trial=timedelta(seconds=2 * self.timeout_s),
            ),
        )

    @property
    def claim_s(self) -> float:
        """Seconds for which a look-up is one gateway's: the time-out, a quick try, and the disk."""
        return 2 * self.timeout_s + 5


class PrivacySettings(Section):
    """[privacy]: how long what Tell knows of listeners is kept (docs/privacy.md)."""

    keep_tickets_days: PositiveCount = 30
    keep_messages_days: PositiveCount = 14

    @property
    def rules(self) -> KeepRules:
        """The same for catalog.listeners.pruning."""
        return KeepRules(
            tickets=timedelta(days=self.keep_tickets_days),
            messages=timedelta(days=self.keep_messages_days),
        )


class PollingSettings(Section):
    """[polling]: how often a screening is looked at, in case an event was lost."""

    far_s: PositiveSeconds = 86_400.0
    day_s: PositiveSeconds = 3_600.0
    hour_s: PositiveSeconds = 120.0
    start_s: PositiveSeconds = 5.0
    running_s: PositiveSeconds = 600.0
    concurrency: PositiveCount = 8
    clock_every_s: PositiveSeconds = 30.0

    @property
    def intervals(self) -> PollIntervals:
        """Seconds between two looks, by how near the film is."""
        return PollIntervals(self.far_s, self.day_s, self.hour_s, self.start_s, self.running_s)


class EventsSettings(Section):
    """[events]: what listeners are told while they are connected."""

    poll_s: PositiveSeconds = 0.4
    heartbeat_s: PositiveSeconds = 20.0
    send_timeout_s: PositiveSeconds = 10.0
    queue: PositiveCount = 64
    max_connections: PositiveCount = 20_000
    max_per_listener: PositiveCount = 8
    keep_s: PositiveCount = 86_400

    @field_validator("poll_s")
    @classmethod
    def _check_poll(cls, value: float) -> float:
        if value > _LONGEST_POLL_S:
            raise ValueError(
                f"{value:g} is too long; write {_LONGEST_POLL_S:g} or less, so that a cancelled "
                "ticket is refused everywhere within two seconds"
            )
        return value


class DeliverySettings(Section):
    """[delivery]: who sends the bytes, and what is kept in memory so that it costs next to nothing.

    Who sends is `mode`: this gateway; an nginx that asks it, again after `decision_s`; or a CDN.
    Downloads come from the bucket itself where `presigned_s` is not 0.
    """

    mode: Literal["gateway", "nginx", "cdn"] = "gateway"
    decision_s: Annotated[int, Field(ge=1, le=60)] = 60
    presigned_s: Annotated[int, Field(ge=0, le=3600)] = 0
    kept_tickets: PositiveCount = 20_000
    read_ahead_h: Annotated[float, Field(ge=0)] = 12.0
    open_files: Annotated[int, Field(ge=8)] = 256


class AppSettings(Section):
    """[app]: what the listener's app is told."""

    downloads_mb: PositiveCount = 300


class PostersSettings(Section):
    """[posters]: the films' pictures, which Tell fetches so that no phone asks anybody else."""

    keep_mb: PositiveCount = 32
    max_kb: PositiveCount = 1000
    fresh_s: PositiveSeconds = 86_400.0
    timeout_s: PositiveSeconds = 3.0


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


class BackupsSettings(Section):
    """[backups]: where `tell backup` saves the database, and for how long."""

    to: BackupPlace = "var/backups"
    keep_days: PositiveCount = 30


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
    limits: LimitsSettings = LimitsSettings()
    enrichment: EnrichmentSettings = EnrichmentSettings()
    polling: PollingSettings = PollingSettings()
    events: EventsSettings = EventsSettings()
    delivery: DeliverySettings = DeliverySettings()
    app: AppSettings = AppSettings()
    posters: PostersSettings = PostersSettings()
    privacy: PrivacySettings = PrivacySettings()
    partners: dict[EnvironmentName, PartnerSettings] = Field(default_factory=_default_partners)
    backups: BackupsSettings = BackupsSettings()
    logging: LoggingSettings = LoggingSettings()

    @model_validator(mode="after")
    def _check_delivery(self) -> GatewaySettings:
        if self.delivery.mode == "nginx" and is_s3(self.media.root):
            raise ValueError(
                'delivery.mode: with "nginx" the tracks lie in a folder that nginx reads; '
                'with media.root at s3:// use "gateway" or "cdn"'
            )
        if self.delivery.presigned_s and not is_s3(self.media.root):
            raise ValueError(
                "delivery.presigned_s: only a bucket sends downloads itself; "
                "set it to 0, or media.root to s3://<bucket>/<prefix>"
            )
        return self

    @model_validator(mode="after")
    def _check_key_ids(self) -> GatewaySettings:
        # The key id chooses the environment, so two environments cannot share one.
        owners: dict[str, str] = {}
        if "media" in self.partners:
            raise ValueError("partners.media: `tell keys` means Tell's own keys by media")
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

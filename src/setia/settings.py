"""What the owner has chosen: read from `setia.toml` and the environment, nowhere else."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest

FILE = "setia.toml"


class NotAWorkspace(SetiaError):
    """{folder} is not a Setia workspace: it has no setia.toml. Make one with `setia init {folder}`."""

    code = "settings.not_a_workspace"


class BadSettings(SetiaError):
    """{file} cannot be used: {problem}. Mend that line and try again."""

    code = "settings.bad"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShopSettings(_Section):
    """The business."""

    name: str = Field(default="My shop", description="The shop's name, as messages and reports give it")
    currency: str = Field(
        default="IDR", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the currency that amounts are in"
    )
    time_zone: str = Field(default="Asia/Jakarta", description="IANA time zone of days, months and quiet hours")
    language: Literal["en", "id", "ms"] = Field(
        default="en", description="Language of the report, and of messages to customers whose own is not known"
    )
    country: str | None = Field(
        default=None,
        pattern=r"^[A-Z]{2}$",
        description="ISO 3166 code of the country whose telephone numbers are written without theirs; without one the "
        "country of the currency",
    )
    staff: tuple[str, ...] = Field(
        default=(),
        description="Addresses, @domains and customer keys of the shop's own people; their orders count nowhere",
    )
    margin: float = Field(
        default=0.4, gt=0, le=1, description="Gross margin as a share of net sales; bounds what an offer may cost"
    )

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"no time zone is called {value!r}; Asia/Jakarta or Asia/Kuala_Lumpur would do")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)


class MetricSettings(_Section):
    """What the shop means by its figures."""

    activation_event: str | None = Field(
        default=None,
        description="The event that makes a new customer an active one, as `events` names it; without one the second "
        "purchase",
    )
    activation_days: int = Field(default=30, ge=1, description="Days after the first order within which it must come")
    winning_costs: tuple[str, ...] = Field(
        default=("advertising", "acquisition"), description="Categories of costs that are spent on winning customers"
    )
    keeping_costs: tuple[str, ...] = Field(
        default=("retention", "loyalty", "rewards", "messages", "support", "programme"),
        description="Categories of costs that are spent on keeping customers; a cost of a programme always is",
    )
    returns_close_after_days: int = Field(
        default=30, ge=0, description="Days after the sale until which goods are taken back"
    )
    visit_ends_after_minutes: int = Field(default=30, ge=1, description="Minutes without an event that end a visit")


Cuts = tuple[float, float, float, float]


class HealthSettings(_Section):
    """What counts how much in the health score of subscribers; what is not known of one is left out."""

    usage: float = Field(default=0.4, ge=0, description="Weight of visits, against those of the month before")
    support: float = Field(default=0.2, ge=0, description="Weight of questions and complaints")
    answers: float = Field(default=0.2, ge=0, description="Weight of the latest answers to surveys")
    payments: float = Field(default=0.2, ge=0, description="Weight of payments that failed")

    @model_validator(mode="after")
    def _something_counts(self) -> HealthSettings:
        if not self.usage + self.support + self.answers + self.payments:
            raise ValueError("one weight at least has to be above 0")
        return self


class StageSettings(_Section):
    """Rules of the shop's own for stages of the life cycle: conditions over traits, in the place of the usual ones."""

    acquisition: str | None = Field(default=None, description="Who has not become a customer yet")
    lost: str | None = Field(default=None, description="Whom nobody waits for any more")
    dormant: str | None = Field(default=None, description="Who is silent for too long")
    reactivation: str | None = Field(default=None, description="Who is back after a long silence")
    loyalty: str | None = Field(default=None, description='Who is loyal: `"purchase_days >= 6"`')
    retention: str | None = Field(default=None, description="Who has bought again")
    activation: str | None = Field(default=None, description="Everybody else")


class CustomerSettings(_Section):
    """How the shop judges its customers."""

    stages: StageSettings = StageSettings()
    rfm_days: Cuts | None = Field(
        default=None,
        description="Days since the latest order up to which it scores 5, 4, 3 and 2; without them, fifths of buyers",
    )
    rfm_purchase_days: Cuts | None = Field(
        default=None, description="Purchase days from which frequency scores 2, 3, 4 and 5; without them, fifths"
    )
    rfm_revenue: Cuts | None = Field(
        default=None, description="Net revenue from which value scores 2, 3, 4 and 5; without it, fifths"
    )
    health: HealthSettings = HealthSettings()
    referral_event: str = Field(
        default="Friend Referred", description="The event by which a customer has brought a friend"
    )

    @field_validator("rfm_days", "rfm_purchase_days", "rfm_revenue")
    @classmethod
    def _rising(cls, cuts: Cuts | None) -> Cuts | None:
        if cuts is not None and list(cuts) != sorted(set(cuts)):
            raise ValueError("the four numbers have to rise")
        return cuts


class PredictionSettings(_Section):
    """How predictions are made."""

    model: Literal[
        "auto",
        "repeated",
        "lifetime_rate",
        "recency_cut",
        "mbg_nbd",
        "bg_nbd",
        "mbg_cnbd",
        "pareto_nbd",
        "boosted",
        "blend",
    ] = Field(default="auto", description="What expects the next orders; `auto` takes what did best in the back-test")
    backtest_every_days: int = Field(
        default=28, ge=1, description="Days after which `auto` replays the shop's past anew before it chooses"
    )
    discount_rate: float = Field(
        default=0.1, ge=0, le=10, description="What money loses in a year, where what a customer is worth is reckoned"
    )
    subscription_discount: float = Field(
        default=0.1, ge=0, lt=1, description="Share that a subscription would save, where one is suggested"
    )
    products: bool = Field(default=True, description="Whether a refresh also looks for products to recommend")
    reasons: bool = Field(default=True, description="Whether a refresh also says why a customer is at risk")


class OwnEvent(_Section):
    """Something that happened to the shop alone and shows in its figures: a rise in prices, goods out of stock."""

    name: str = Field(min_length=1, description="What it was")
    first_day: date = Field(description="Its first day, in the shop's time zone")
    last_day: date = Field(description="Its last day, included")

    @model_validator(mode="after")
    def _in_order(self) -> OwnEvent:
        if self.last_day < self.first_day:
            raise ValueError(f"{self.name} ends before it begins")
        return self


class StoreSettings(_Section):
    """Where the store is; without a URL Setia runs a private server of its own."""

    url: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL of a PostgreSQL 15 or newer: postgresql+psycopg://user@host/database"
    )
    url_file: Path | None = Field(default=None, description="A file that holds only the URL; wins over `url`")


class WarehouseSettings(_Section):
    """How much of the machine the warehouse may take."""

    memory: str = Field(
        default="1GB", pattern=r"^\d+(MB|GB)$", description="Memory that DuckDB takes before it spills to the disk"
    )
    threads: int | None = Field(default=None, ge=1, description="Threads of DuckDB; by default all of the machine's")
    keep_snapshots_days: int = Field(default=30, ge=0, description="Days for which old snapshots can still be read")


class EmailSettings(_Section):
    """The SMTP server and the sender. Without a host, mails are rendered and not sent."""

    host: str | None = Field(default=None, description="The SMTP server; without one nothing is sent")
    port: int = Field(default=587, description="Its port")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="Encryption: from the second word on, from the first, or none (loopback only)"
    )
    username: str | None = Field(default=None, description="Account at the server; without one no login is tried")
    password: SecretStr | None = Field(default=None, description="Password of the account")
    password_file: Path | None = Field(
        default=None, description="A file that holds the password and nothing else; wins over `password`"
    )
    sender: str = Field(default="Shop <shop@example.com>", description="The From of every message")
    unsubscribe: str | None = Field(
        default=None, description="Address to which a customer writes to stop; named in every message and its header"
    )
    postal_address: str = Field(default="", description="Postal address under every message, which many laws ask for")
    timeout_seconds: float = Field(default=30, description="Seconds for which the server may be silent")


class GateSettings(_Section):
    """When and how often customers may be written to."""

    quiet_from: time = Field(default=time(20), description="From then on nothing is sent, in the shop's time zone …")
    quiet_until: time = Field(default=time(8), description="… until then; equal times mean no quiet hours")
    most_per_week: int = Field(default=2, ge=0, description="Messages to one customer in any seven days, at most")


class Settings(BaseSettings):
    """Everything `setia.toml` may say. Environment variables win: SETIA_EMAIL__HOST, SETIA_STORE__URL …

    Secrets are better given as `*_file`, the path of a file that holds nothing else.
    """

    model_config = SettingsConfigDict(
        env_prefix="SETIA_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    shop: ShopSettings = ShopSettings()
    metrics: MetricSettings = MetricSettings()
    customers: CustomerSettings = CustomerSettings()
    predictions: PredictionSettings = PredictionSettings()
    targets: dict[str, float] = Field(
        default={}, description="What a metric is to reach, by its name: `retention = 0.4`"
    )
    benchmarks: dict[str, tuple[float, float]] = Field(
        default={}, description="The usual range of a metric in the shop's own trade: `repeat_purchase = [0.3, 0.6]`"
    )
    calendar: tuple[OwnEvent, ...] = Field(
        default=(), description="What happened to the shop alone: a table each, with `name`, `first_day`, `last_day`"
    )
    store: StoreSettings = StoreSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    email: EmailSettings = EmailSettings()
    gate: GateSettings = GateSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file."""
        return env_settings, init_settings

    @classmethod
    def read(cls, workspace: Path) -> Settings:
        """The settings of a workspace. Raises NotAWorkspace, BadSettings."""
        file = workspace / FILE
        if not file.is_file():
            raise NotAWorkspace(folder=workspace)
        try:
            chosen: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
            return cls(**chosen)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise BadSettings(file=file, problem=str(problem)) from problem
        except ValidationError as problem:
            raise BadSettings(file=file, problem=_said(problem.errors(include_input=False)[0])) from None


def _said(error: Mapping[str, Any]) -> str:
    """What is wrong with which setting; the value itself, which may be a secret, is left out."""
    *sections, name = (str(part) for part in error["loc"])
    where = ".".join([*sections, name])
    if error["type"] != "extra_forbidden":
        return f"{where}: {str(error['msg']).removeprefix('Value error, ')}"
    section: Any = Settings
    for each in sections:
        section = section.model_fields[each].annotation
    meant = nearest(name, section.model_fields)
    return f"{where}: there is no such setting" + (f"; did you mean {meant}?" if meant else "")


def secret(value: SecretStr | None, file: Path | None) -> str | None:
    """A secret given directly or by file; trailing line ends of the file are dropped. Raises BadSettings."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise BadSettings(file=file, problem="it is named as the file of a secret and cannot be read") from problem
    return value.get_secret_value() if value is not None else None


def _toml(text: str) -> str:
    """A text as a TOML string."""
    return json.dumps(text, ensure_ascii=False)


def _phrase(name: str) -> str:
    """A name as it stands before an address: quoted where it holds signs that mean something there."""
    plain = name.replace("\\", "").replace('"', "'")
    return f'"{plain}"' if set(plain) & set("()<>[]:;@,.") else plain


def template(shop: ShopSettings) -> str:
    """The text of a new `setia.toml`, with every choice explained."""
    sender = f"{_phrase(shop.name)} <shop@example.com>"
    country = f'country = "{shop.country}"' if shop.country else '# country = "ID"'
    staff = json.dumps(list(shop.staff), ensure_ascii=False)
    return f"""\
# The settings of this shop. Every line may be left out; docs/reference/settings.md explains each.
[shop]
name = {_toml(shop.name)}
currency = "{shop.currency}"        # ISO 4217
time_zone = "{shop.time_zone}"  # days, months and quiet hours follow it
language = "{shop.language}"         # en, id or ms: report and messages
margin = {shop.margin}            # gross margin as a share of net sales
{country}          # of telephone numbers that name none
staff = {staff}               # addresses, @domains, keys: their orders count nowhere

[email]
# host = "smtp.example.com"  # without a host, mails are rendered and not sent
# port = 587
# security = "starttls"      # or "tls", "none"
# username = "shop"
# password_file = "/run/secrets/smtp"
sender = {_toml(sender)}
# unsubscribe = "stop@example.com"
# postal_address = "Jl. Kopi 1, Bandung"

[gate]
quiet_from = 20:00:00   # nothing is sent from then …
quiet_until = 08:00:00  # … until then, shop time
most_per_week = 2       # messages to one customer in seven days

[warehouse]
memory = "1GB"
keep_snapshots_days = 30

# [store]
# url_file = "/run/secrets/setia-store"  # a PostgreSQL 15+ of your own; otherwise Setia runs a private one
"""


class AlreadyAWorkspace(SetiaError):
    """{folder} already holds a Setia workspace. Choose another folder, or work with the one that is there."""

    code = "settings.already_a_workspace"


def init(folder: str | Path, shop: ShopSettings) -> Path:
    """Make a workspace folder with its settings file. Raises AlreadyAWorkspace."""
    folder = Path(folder)
    if (folder / FILE).exists():
        raise AlreadyAWorkspace(folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(template(shop), encoding="utf-8")
    return folder

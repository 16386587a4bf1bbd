"""The settings of the program: environment variables that start with ``TWIN_``."""

import os
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from twin import base_map
from twin.errors import ServiceError


def default_home() -> Path:
    """Where data lives by default: /var/lib/finest-twin for root, else the user's data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/finest-twin/root")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "finest-twin"


def default_pool_size() -> int:
    """Two for each processor, at least four: more would share the processors, so that all end late."""
    return max(4, 2 * (os.cpu_count() or 1))


class Settings(BaseSettings):
    """Made once by the entry point and passed on; nothing reads the environment on import."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=default_home,
        description="Data directory: private database cluster, tile store, logs.",
    )
    database_url: str | None = Field(
        default=None,
        description="An existing PostGIS, postgresql://user@host/database, instead of the private cluster.",
    )
    postgres_bin: Path | None = Field(
        default=None,
        description="Folder with initdb and pg_ctl, where they are not found by themselves.",
    )
    dask_scheduler: str | None = Field(
        default=None,
        description="A Dask scheduler, tcp://host:8786, whose workers process instead of this machine.",
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, description="Longest time one database query of the API may take."
    )
    pool_size: int = Field(
        default_factory=default_pool_size,
        ge=1,
        description="Database connections of one API worker; by default two a processor, at least four.",
    )
    max_limit: int = Field(
        default=10_000, ge=1, description="Largest number of items in one page of the API."
    )
    text_memory_mb: int = Field(
        default=384,
        ge=0,
        description="Megabytes of the features that an API worker served which it keeps for the next pages: "
        "100,000 buildings are some 250.",
    )
    jwt_keys: str | None = Field(
        default=None,
        description="Public keys of an identity provider (JWKS), a file or an https address: its tokens are "
        "then taken beside API keys. Together with the next two.",
    )
    jwt_issuer: str | None = Field(default=None, description="What `iss` of a token has to be.")
    jwt_audience: str | None = Field(default=None, description="What `aud` of a token has to name.")
    cors_origins: str | None = Field(
        default=None,
        description="Sites whose pages may read the API, such as https://maps.example, separated by commas; "
        "`*` are all. Without: pages of this machine, or where others are served all.",
    )
    rate_limit_per_s: float | None = Field(
        default=None,
        ge=0,
        description="Requests in a second that a key, or an address without one, may send for long; 0: any "
        "number. Without: 50, and any number where only this machine is served.",
    )
    rate_burst: int = Field(
        default=500, ge=1, description="Requests that a key or an address may send at once."
    )
    audit_log: str | None = Field(
        default=None,
        description="Where a line of JSON goes for each request that was refused, writes or downloads: a "
        "file, `stderr` or `off`. Without: `stderr`, and `off` where only this machine is served.",
    )
    viewer_base_map: str | None = Field(
        default=None,
        description="Map tiles in WebMercatorQuad that the viewer can lay on the ground: a template such "
        "as https://maps.example/{z}/{x}/{y}.png, or several as `city=template`, separated by spaces.",
    )
    viewer_base_map_zoom: int = Field(
        default=18, ge=0, le=22, description="The finest zoom level that the base map has."
    )
    viewer_base_map_credit: str | None = Field(
        default=None, description="Whom the viewer credits for the base map, while that is on show."
    )

    @field_validator("viewer_base_map")
    @classmethod
    def _base_map_can_be_read(cls, text: str | None) -> str | None:
        if text is not None:
            base_map.read(text)
        return text


def load() -> Settings:
    """The settings of the environment; ServiceError names the variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"TWIN_{'_'.join(str(part) for part in first['loc']).upper()}"
        raise ServiceError(f"{name} is {first['input']!r}: {first['msg']}") from error

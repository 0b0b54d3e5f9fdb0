"""What a deployment can set: command line over `CHARGELOOP_*` over a TOML file over defaults, validated once.

Commands get the values as attributes of their parsed arguments; nothing below this file reads the environment.
"""

import argparse
import difflib
import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from chargeloop.model import BadInput

PREFIX = "CHARGELOOP_"
# These have no flag (every user of a machine can read its command lines), and their values are never shown.
TOKENS = ("api_token", "feed_token")
SECRETS = frozenset({*TOKENS, "database_url", "contract_service_token"})
METAVARS = {"data_dir": "DIR", "partners": "FILE", "city": "DIR", "ocpp_tls_chain": "FILE", "ocpp_tls_key": "FILE"}


class Settings(BaseModel):
    """Every setting with its default; the description is what `--help` and the reference page say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(
        default="127.0.0.1", min_length=1, description="address to listen on; other than loopback needs an API token"
    )
    http_port: int = Field(default=8080, ge=0, le=65535, description="port of the pages and the HTTP API")
    ocpp_port: int = Field(default=9000, ge=0, le=65535, description="port on which chargers connect by OCPP")
    ocpp_tls_port: int = Field(default=9443, ge=0, le=65535, description="port for chargers over TLS, open with a certificate")
    ocpp_tls_chain: Path | None = Field(default=None, description="PEM file of that port's certificate and sub-authorities")
    ocpp_tls_key: Path | None = Field(default=None, description="PEM file of its key")
    ocpp_password_days: int | None = Field(
        default=None, ge=1, description="days after which a charger gets another password; without it, only when told to"
    )
    data_dir: Path = Field(
        default=Path("var"), description="folder of the database, of the certificates and of the fitted forecaster"
    )
    operator: str | None = Field(default=None, min_length=1, description="who runs this server, as its certificates say")
    ocsp_url: str | None = Field(default=None, description="this server's /ocsp as others reach it, named in certificates")
    contract_service_url: str | None = Field(
        default=None,
        description="service of Plug and Charge contracts that what cars ask for goes on to; without one, this server answers",
    )
    partners: Path | None = Field(default=None, description="TOML file of the platforms that this one works with")
    city: Path | None = Field(default=None, description="city folder; without one, the built-in city")
    tick_s: float = Field(default=30.0, gt=0, description="seconds of the city's time between two runs of the loop")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="how much is logged")
    accept_unknown_tokens: bool = Field(
        default=False, description="true: whoever holds a token may charge, also one that is not listed"
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://USER:PASSWORD@HOST/NAME; without one, SQLite in the data folder"
    )
    contract_service_token: SecretStr | None = Field(default=None, description="token that this service is sent")
    api_token: SecretStr | None = Field(default=None, description="token that API clients must send (16 characters or more)")
    feed_token: SecretStr | None = Field(default=None, description="token that feeds of many chargers must send (as long)")

    @field_validator("city")
    @classmethod
    def _is_folder(cls, city: Path | None) -> Path | None:
        if city is not None and not city.is_dir():
            raise ValueError("there is no such folder")
        return city

    @field_validator(*TOKENS)
    @classmethod
    def _is_long(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < 16:
            raise ValueError("a token has at least 16 characters")
        return token

    @model_validator(mode="after")
    def _has_both(self) -> Self:
        if (self.ocpp_tls_chain is None) != (self.ocpp_tls_key is None):
            raise ValueError("TLS needs a certificate and its key: --ocpp-tls-chain and --ocpp-tls-key")
        return self

    @property
    def is_local(self) -> bool:
        """True when only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Settings:
    """Merge the sources and validate once. `flags` holds what the command line said (None: not said).

    Raises:
        BadInput: naming the flag, variable or file entry that is wrong; a secret's value is never repeated.
    """
    values: dict[str, object] = {}
    source: dict[str, str] = {}

    def add(named: Mapping[str, object], where: Callable[[str], str]) -> None:
        for name, value in named.items():
            values[name], source[name] = value, where(name)

    file = flags.get("settings") or environ.get(PREFIX + "SETTINGS")
    if file:
        add(_read_toml(Path(str(file))), lambda name: f"{file}: {name}")
    add(_from_environ(environ), _variable)
    add({name: value for name, value in flags.items() if name in Settings.model_fields and value is not None}, _flag)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if not first["loc"]:
            raise BadInput("settings", first["msg"].removeprefix("Value error, ")) from None
        name = str(first["loc"][0])
        shown = "" if name in SECRETS else f", got {str(first['input'])!r}"
        known = difflib.get_close_matches(name, Settings.model_fields)
        said = (
            f"no such setting{_did_you_mean(known)}"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ") + shown
        )
        raise BadInput(source[name], said) from None
    if not settings.is_local and settings.api_token is None:
        raise BadInput(
            source["host"],
            f"{settings.host} can be reached from other machines: set {_variable('api_token')}, or listen on 127.0.0.1",
        )
    return settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A flag for the TOML file and for each setting that is not secret."""
    group = parser.add_argument_group(
        "settings", f"each can also be {PREFIX}NAME in the environment or an entry of a TOML file"
    )
    group.add_argument("--settings", metavar="FILE", help="TOML file with settings")
    for name, field in Settings.model_fields.items():
        if name not in SECRETS:
            metavar = METAVARS.get(name, name.split("_")[-1].upper())
            default = "" if field.default is None else f" (default {field.default})"
            group.add_argument(_flag(name), metavar=metavar, help=f"{field.description}{default}")


def fill(args: argparse.Namespace) -> None:
    """Put every setting into the parsed arguments, from wherever it comes."""
    settings = load_settings(vars(args))
    for name in Settings.model_fields:
        setattr(args, name, getattr(settings, name))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _from_environ(environ: Mapping[str, str]) -> dict[str, object]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name != PREFIX + "SETTINGS"
    }


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(str(path), error.strerror or "cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(path), f"is not valid TOML: {error}") from None


def _did_you_mean(names: list[str]) -> str:
    return f"; did you mean {names[0]}?" if names else ""

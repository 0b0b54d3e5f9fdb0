import argparse
from pathlib import Path

import pytest

from chargeloop.model import BadInput
from chargeloop.settings import Settings, add_arguments, fill, load_settings

TOKEN = "a-token-that-is-long-enough"


def test_defaults_let_only_this_machine_in() -> None:
    settings = load_settings({}, {})
    assert (settings.host, settings.http_port, settings.ocpp_port) == ("127.0.0.1", 8080, 9000)
    assert settings.city is None
    assert settings.is_local


def test_command_line_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "chargeloop.toml"
    file.write_text("http_port = 1\nocpp_port = 2\ntick_s = 3\n")
    environ = {"CHARGELOOP_SETTINGS": str(file), "CHARGELOOP_OCPP_PORT": "20", "CHARGELOOP_TICK_S": "30", "PATH": "ignored"}
    settings = load_settings({"tick_s": "300", "http_port": None, "json": True}, environ)
    assert (settings.http_port, settings.ocpp_port, settings.tick_s) == (1, 20, 300.0)
    assert settings.log_level == "info"


@pytest.mark.parametrize(
    ("flags", "environ", "where"),
    [
        ({"http_port": "99999"}, {}, "--http-port"),
        ({}, {"CHARGELOOP_TICK_S": "0"}, "CHARGELOOP_TICK_S"),
        ({}, {"CHARGELOOP_CITY": "no-such-folder"}, "CHARGELOOP_CITY"),
        ({}, {"CHARGELOOP_LOG_LEVEL": "loud"}, "CHARGELOOP_LOG_LEVEL"),
        ({}, {"CHARGELOOP_HTTPPORT": "80"}, "CHARGELOOP_HTTPPORT"),
        ({"settings": "no-such-file.toml"}, {}, "no-such-file.toml"),
    ],
)
def test_what_is_wrong_is_named(flags: dict[str, object], environ: dict[str, str], where: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_settings(flags, environ)
    assert caught.value.where == where


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(BadInput, match="did you mean http_port"):
        load_settings({}, {"CHARGELOOP_HTTPPORT": "80"})


@pytest.mark.parametrize(("text", "said"), [("http_port =", "not valid TOML"), ("http_port = 'x'", "http_port")])
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "chargeloop.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match=said) as caught:
        load_settings({"settings": str(file)}, {})
    assert str(file) in caught.value.where


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("charge.example", False)],
)
def test_other_machines_are_let_in_only_with_a_token(host: str, is_local: bool) -> None:
    assert load_settings({"host": host}, {"CHARGELOOP_API_TOKEN": TOKEN}).is_local == is_local
    if is_local:
        load_settings({"host": host}, {})
    else:
        with pytest.raises(BadInput, match="CHARGELOOP_API_TOKEN"):
            load_settings({"host": host}, {})


def test_a_secret_is_never_shown() -> None:
    settings = load_settings({}, {"CHARGELOOP_API_TOKEN": TOKEN})
    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings) + str(settings.model_dump())
    with pytest.raises(BadInput) as caught:
        load_settings({}, {"CHARGELOOP_API_TOKEN": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_arguments_are_filled_from_every_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGELOOP_OCPP_PORT", "9100")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(["--http-port", "8100"])
    fill(args)
    assert (args.http_port, args.ocpp_port, args.host) == (8100, 9100, "127.0.0.1")
    assert all(hasattr(args, name) for name in Settings.model_fields)


def test_secrets_have_no_flag() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert not {"--api-token", "--feed-token", "--database-url"} & set(parser.format_usage().split())

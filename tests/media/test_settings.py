"""Settings: what is read, what is refused, and that the messages name the key."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from media.settings import MediaSettings, Section, Settings, SettingsError, load_settings


class Server(Section):
    """A section with each kind of value."""

    host: str = "127.0.0.1"
    port: int = 8080
    proxies: list[str] = Field(default_factory=list)


class Partner(Section):
    """A section that stands in a table of sections."""

    base_url: str


class Example(Settings):
    """A program that passes over its neighbour's section."""

    neighbours: ClassVar[frozenset[str]] = frozenset({"packager"})
    server: Server = Server()
    media: MediaSettings = MediaSettings()
    partners: dict[str, Partner] = Field(default_factory=dict)


def read(tmp_path: Path, text: str = "", **environ: str) -> Example:
    """Load *text* as config.toml with an environment."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load_settings(Example, path, environ)


def test_defaults_without_a_file() -> None:
    """Everything has a default."""
    assert load_settings(Example, None, {"PATH": "/bin"}) == Example()


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    """TELL_<SECTION>__<KEY> overrides a key; strings are taken as they stand."""
    settings = read(
        tmp_path,
        '[server]\nport = 1\n[partners.local]\nbase_url = "http://a"\n[packager]\nladder = []\n',
        TELL_SERVER__PORT="2",
        TELL_SERVER__HOST="::1",
        TELL_SERVER__PROXIES='["10.0.0.1"]',
        TELL_MEDIA__ROOT="/srv/media",
        TELL_PARTNERS__LOCAL__BASE_URL="http://b",
        TELL_PACKAGER__LADDER="[]",
        TELL_CONFIG="elsewhere.toml",
    )
    assert settings.server == Server(host="::1", port=2, proxies=["10.0.0.1"])
    assert settings.media.root == "/srv/media"
    assert settings.partners["local"].base_url == "http://b"


@pytest.mark.parametrize(
    ("text", "environ", "named"),
    [
        ("[server]\nprot = 1\n", {}, "server.prot"),
        ("[sever]\nport = 1\n", {}, "sever"),
        ('[server]\nport = "8080"\n', {}, "server.port"),
        ("[partners.local]\n", {}, "partners.local.base_url"),
        ("[server\n", {}, "is not TOML"),
        ("", {"TELL_SEVER__PORT": "1"}, "sever.port"),
        ("", {"TELL_SERVER__PROT": "1"}, "server.prot"),
        ("", {"TELL_SERVER__PORT": "eighty"}, "TELL_SERVER__PORT"),
        ("", {"TELL_SERVER__PORT": "'1'"}, "server.port"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    tmp_path: Path, text: str, environ: dict[str, str], named: str
) -> None:
    """A misspelt section, key or variable and a value of another type are all named."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text, **environ)
    assert named in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that was asked for and is not there is an error."""
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read"):
        load_settings(Example, tmp_path / "none.toml", {})

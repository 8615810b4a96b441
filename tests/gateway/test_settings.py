"""config.toml and the sections that the gateway reads."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.settings import (
    GatewaySettings,
    PartnerSettings,
    check_environment,
    find_config,
    read_settings,
)
from media.settings import SettingsError
from packager.settings import PackagerSection

CONFIG = Path(__file__).parents[2] / "config.toml"


def documented() -> dict[str, dict[str, object]]:
    """Every section of config.toml with its keys; the partner's table stands for all."""
    values = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    partners = values.pop("partners")
    return {**values, "partners.local": partners["local"]}


def defaults() -> dict[str, dict[str, object]]:
    """Every section that a program reads, with its defaults."""
    gateway = GatewaySettings()
    sections: dict[str, BaseModel] = {
        name: getattr(gateway, name) for name in GatewaySettings.model_fields if name != "partners"
    }
    sections["partners.local"] = gateway.partners["local"]
    sections["packager"] = PackagerSection()
    return {name: section.model_dump() for name, section in sections.items()}


def test_config_toml_shows_every_key_with_its_default() -> None:
    """A key that is undocumented, gone or documented with another default fails."""
    assert documented() == defaults()


def test_every_key_of_config_toml_has_a_comment() -> None:
    """The line above each key explains it."""
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    for above, line in itertools.pairwise(lines):
        if re.match(r"[a-z_]+ = ", line):
            assert above.startswith("# "), f"{line!r} is not explained"


def test_config_toml_is_read_as_it_stands() -> None:
    """The shipped file passes the gateway's own checks, and is the defaults."""
    assert read_settings(CONFIG, {}) == GatewaySettings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 80\n", "server.prot"),
        ('[server]\nport = "80"\n', "server.port"),
        ("[sever]\nport = 80\n", "sever"),
        ('[server]\npublic_url = "tell.example"\n', "server.public_url"),
        ('[partners."No Such"]\nbase_url = "http://a"\nkey_id = "a"\n', "partners"),
        # What is cancelled would be refused too late: after two seconds.
        ("[events]\npoll_s = 1.6\n", "events.poll_s: Value error, 1.6 is too long; write 1.5"),
        ('[partners.a]\nkey_id = "a"\n', "partners.a.base_url"),
        ('[partners.a]\nbase_url = ""\nkey_id = "a"\n', "partners.a.base_url"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(tmp_path: Path, text: str, named: str) -> None:
    """The message names section and key."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(named)):
        read_settings(path, {})


def test_two_environments_cannot_share_a_key_id(tmp_path: Path) -> None:
    """The key id chooses the environment, so it must be one's own."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[partners.a]\nbase_url = "http://a"\nkey_id = "k"\n'
        '[partners.b]\nbase_url = "http://b"\nkey_id = "k"\n'
    )
    with pytest.raises(SettingsError, match="share the key_id"):
        read_settings(path, {})


def test_the_environment_overrides_a_key_of_a_partner() -> None:
    """TELL_PARTNERS__LOCAL__BASE_URL reaches into the table."""
    settings = read_settings(CONFIG, {"TELL_PARTNERS__LOCAL__BASE_URL": "http://127.0.0.1:9/"})
    assert settings.partners["local"].base_url == "http://127.0.0.1:9"


def test_posters_come_from_the_partner_unless_told_otherwise() -> None:
    """An empty poster_base_url stands for base_url."""
    partner = PartnerSettings(base_url="http://amc.example/", key_id="k")
    assert partner.posters == "http://amc.example"
    tmdb = PartnerSettings(
        base_url="http://amc.example", key_id="k", poster_base_url="https://image.example/w500/"
    )
    assert tmdb.posters == "https://image.example/w500"


def test_the_file_is_found_by_option_then_variable_then_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--config stands above $TELL_CONFIG, and that above ./config.toml."""
    monkeypatch.chdir(tmp_path)
    assert find_config(None, {}) is None
    (tmp_path / "config.toml").touch()
    assert find_config(None, {}) == Path("config.toml")
    assert find_config(None, {"TELL_CONFIG": "b.toml"}) == Path("b.toml")
    assert find_config(Path("a.toml"), {"TELL_CONFIG": "b.toml"}) == Path("a.toml")


@pytest.mark.parametrize("name", ["", "a/b", "..", "A", "a__b", "-a", "x" * 33, "a b"])
def test_an_environment_s_name_is_fit_for_a_file_and_a_label(name: str) -> None:
    """Whatever could climb out of the folder of secrets is refused."""
    with pytest.raises(ValueError, match="environment"):
        check_environment(name)

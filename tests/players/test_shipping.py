"""What only the tests need of npm stays out of what is shipped."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def test_the_wheel_has_the_player_of_the_app_alone(tmp_path: Path) -> None:
    """hls.js is in it; what tests and the build use are not."""
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert set(package["dependencies"]) == {"hls.js"}
    assert {"shaka-player", "dashjs", "axe-core", "esbuild"} <= set(package["devDependencies"])
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "gateway/web/vendor/hls.mjs" in names
    assert "packager/lint/run.py" in names
    # The app's modules, and what they are joined to.
    assert {
        "gateway/web/js/clock.js",
        "gateway/web/built/bundles.json",
        "gateway/web/built/js/app.js",
    } <= set(names)
    assert not [
        name
        for name in names
        if any(
            other in name
            for other in ("shaka", "dash.js", "dashjs", "axe", "esbuild", "node_modules")
        )
    ]

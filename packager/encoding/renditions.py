"""Makes one rendition's file from the prepared sound: encoder, packets, muxer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media.errors import TrackFormatError
from media.track import Loudness
from packager.encoding.encoders import encode_command
from packager.encoding.ladder import Rung
from packager.encoding.muxer import Muxer
from packager.encoding.packets import PacketReader
from packager.errors import EncodeError, ToolFailedError, WorkFolderError
from packager.ffmpeg import Run, Tools
from packager.source.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Recipe:
    """What all renditions of a track have in common.

    *length_samples* is the padded length that all of them have.
    """

    prepared: Prepared
    length_samples: int
    language: str
    loudness: Loudness

    def key(self, rung: Rung, sound_sha256: str, tools: Tools) -> str:
        """Digest of everything that decides the bytes of *rung*'s file.

        *sound_sha256* is that of the prepared sound's bytes.
        """
        # The path of the prepared sound is another one in each run.
        nowhere = Prepared(Path("/prepared"), self.prepared.samples, self.prepared.gain_db)
        decides = {
            "sound": sound_sha256,
            "command": encode_command(nowhere, rung, self.length_samples, tools.ffmpeg),
            "language": self.language,
            "loudness": self.loudness.model_dump(),
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


async def encode_rendition(
    recipe: Recipe,
    rung: Rung,
    path: Path,
    tools: Tools,
    on_samples: Callable[[int], None],
    core: int | None = None,
) -> None:
    """Write *rung* to *path*, which must not exist. Raises EncodeError and WorkFolderError.

    *on_samples* is told how many samples are encoded; *core* is the encoder's own.
    """
    command = encode_command(recipe.prepared, rung, recipe.length_samples, tools.ffmpeg)
    reader = PacketReader(rung.name)
    try:
        with Muxer(path, rung, recipe.length_samples, recipe.language, recipe.loudness) as muxer:
            async with Run(rung.name, command, core=core) as run:
                async for block in run.blocks():
                    for packets in reader.feed(block):
                        muxer.add(packets)
                        on_samples(muxer.samples)
            reader.finish()
            muxer.finish()
    except ToolFailedError as error:
        raise EncodeError(rung.name, error.what) from error
    except TrackFormatError as error:
        raise EncodeError(rung.name, str(error)) from error
    except OSError as error:
        raise WorkFolderError(str(path), error.strerror or str(error)) from error

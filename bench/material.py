"""The sounds that the packager's benches run on: real voices, a synthetic one, and film sound.

The recordings are in Debian's packages pocketsphinx-testdata (read speech, 16 kHz),
asterisk-core-sounds-en-wav (a studio voice, 8 kHz) and wesnoth-1.16-music (an orchestra, 44.1 kHz);
without them only the synthetic voice is left, and what is missing is named.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo.voice import Voice
from media.grid import SAMPLE_RATE_HZ

Sound = NDArray[np.float32]

_READ_SPEECH = Path("/usr/share/pocketsphinx/test/data/librivox")
_STUDIO_VOICE = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_MUSIC = Path("/usr/share/games/wesnoth/1.16/data/core/music")
# An orchestra at full strength, and a quiet one.
_LOUD_MUSIC, _SOFT_MUSIC = "battle-epic.ogg", "silvan_sanctuary.ogg"
# A narration is mixed well above the film under it; the film itself is not silent.
_VOICE_DBFS, _UNDER_DBFS = -20.0, -32.0
# What a quiet room leaves between two sentences.
_ROOM_DBFS = -72.0
_LINES = (
    "She crosses the yard, a lantern in her hand, and stops at the gate.",
    "Behind the window a curtain falls back into place.",
    "He breaks the seal, unfolds the letter, and his smile is gone.",
    "Night. The last train pulls out, its windows dark but for one.",
    "Six riders, far off, in a line along the ridge.",
    "The boy lifts the cat from the well and sits down in the grass.",
    "In close-up: the clock strikes, its glass is cracked.",
    "They look at each other, then at the door, which opens by itself.",
)


class MissingMaterialError(Exception):
    """A recording is not installed; the message names it and the package that has it."""

    code = "bench-material"


def quality_clips(ffmpeg_path: str) -> dict[str, Sound]:
    """Eight seconds of each kind of sound, by which encoders are judged."""
    voice = read_speech(ffmpeg_path)
    loud, soft = (_music(ffmpeg_path, name) for name in (_LOUD_MUSIC, _SOFT_MUSIC))
    seconds = 8 * SAMPLE_RATE_HZ
    clips = {
        "read speech": voice,
        "studio voice": studio_voice(ffmpeg_path),
        "synthetic voice": synthetic_voice(),
        "film, loud": _mixed(voice, loud[20 * SAMPLE_RATE_HZ :]),
        "film, soft": _mixed(voice, soft[20 * SAMPLE_RATE_HZ :]),
        "orchestra": _at_level(loud[40 * SAMPLE_RATE_HZ :][:seconds], _VOICE_DBFS),
    }
    return {name: clip[:seconds] for name, clip in clips.items()}


def read_speech(ffmpeg_path: str) -> Sound:
    """Sentences of a novel, read by a volunteer in his room."""
    return _at_level(_joined(ffmpeg_path, _READ_SPEECH, "pocketsphinx-testdata", 5), _VOICE_DBFS)


def studio_voice(ffmpeg_path: str) -> Sound:
    """Announcements by a speaker in a studio, for the telephone: nothing above 4 kHz."""
    package = "asterisk-core-sounds-en-wav"
    return _at_level(_joined(ffmpeg_path, _STUDIO_VOICE, package, 8), _VOICE_DBFS)


def synthetic_voice() -> Sound:
    """A voice by eSpeak NG that reads lines of a narration: nothing above 11 kHz."""
    voice = Voice()
    return _at_level(np.concatenate([voice.say(line) for line in _LINES]), _VOICE_DBFS)


def breathy_voice(seconds: float) -> Sound:
    """Syllables of noise with a weak voice in them: hard on a coder's rate control."""
    chance = np.random.default_rng(1)
    pieces = []
    length = 0
    while length < seconds * SAMPLE_RATE_HZ:
        count = int(chance.uniform(0.15, 0.4) * SAMPLE_RATE_HZ)
        glide_hz = np.linspace(chance.uniform(110, 220), chance.uniform(110, 220), count)
        phase = 2 * np.pi * np.cumsum(glide_hz) / SAMPLE_RATE_HZ
        tone = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 9))
        breath = chance.normal(0, 1, count)
        envelope = np.sin(np.linspace(0, np.pi, count)) ** 0.5
        pieces.append((envelope * (0.04 * tone + 0.06 * breath)).astype(np.float32))
        pieces.append(np.zeros(int(chance.uniform(0.05, 0.2) * SAMPLE_RATE_HZ), np.float32))
        length += len(pieces[-1]) + len(pieces[-2])
    return np.concatenate(pieces)[: round(seconds * SAMPLE_RATE_HZ)]


def write_master(path: Path, minutes: float, ffmpeg_path: str) -> None:
    """Write a master as a studio delivers it: WAV, 48 kHz, 24 bit, mono.

    Two thirds narration with pauses and room tone, one third film sound under the voice, in a cycle
    of some minutes that is repeated: an encoder remembers a fraction of a second.
    """
    cycle = _cycle(ffmpeg_path)
    left = round(minutes * 60 * SAMPLE_RATE_HZ)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(3)
        out.setframerate(SAMPLE_RATE_HZ)
        while left > 0:
            block = cycle[:left]
            left -= len(block)
            out.writeframes(_pcm24(block))


def _cycle(ffmpeg_path: str) -> Sound:
    chance = np.random.default_rng(2)
    voices = [*_sentences(synthetic_voice())]
    under: list[Sound] = []
    try:
        voices += _sentences(read_speech(ffmpeg_path)) + _sentences(studio_voice(ffmpeg_path))
        under = [_music(ffmpeg_path, name) for name in (_LOUD_MUSIC, _SOFT_MUSIC)]
    except MissingMaterialError as error:
        print(f"without real recordings: {error}")
    pieces = []
    for voice in voices:
        pause = np.zeros(int(chance.uniform(0.5, 4.0) * SAMPLE_RATE_HZ), np.float32)
        pieces += [voice, pause]
    narration = np.concatenate(pieces)
    narration += chance.normal(0, 10 ** (_ROOM_DBFS / 20), len(narration)).astype(np.float32)
    films = [_mixed(narration[len(narration) // 3 :], each) for each in under]
    cycle: Sound = np.clip(np.concatenate([narration, narration, *films]), -1, 1)
    return cycle


def _sentences(voice: Sound) -> list[Sound]:
    """*voice* in pieces of some seconds."""
    return [voice[at : at + 4 * SAMPLE_RATE_HZ] for at in range(0, len(voice), 4 * SAMPLE_RATE_HZ)]


def _mixed(voice: Sound, film: Sound) -> Sound:
    length = min(len(voice), len(film))
    sound: Sound = voice[:length] + _at_level(film[:length], _UNDER_DBFS)
    return sound


def _at_level(sound: Sound, dbfs: float) -> Sound:
    """*sound* at that root mean square."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    scaled: Sound = (sound * (10 ** (dbfs / 20) / rms)).astype(np.float32)
    return scaled


def _joined(ffmpeg_path: str, folder: Path, package: str, count: int) -> Sound:
    # The largest: whole sentences.
    files = sorted(folder.glob("*.wav"), key=lambda file: (-file.stat().st_size, file.name))
    if not files:
        raise MissingMaterialError(f"{folder} is not there: install Debian's {package}")
    return np.concatenate([_decoded(ffmpeg_path, file) for file in files[:count]])


def _music(ffmpeg_path: str, name: str) -> Sound:
    path = _MUSIC / name
    if not path.is_file():
        raise MissingMaterialError(f"{path} is not there: install Debian's wesnoth-1.16-music")
    return _decoded(ffmpeg_path, path)


def _decoded(ffmpeg_path: str, path: Path) -> Sound:
    command = [ffmpeg_path, "-v", "error", "-i", str(path), "-ac", "1"]
    command += ["-ar", str(SAMPLE_RATE_HZ), "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    sound: Sound = np.frombuffer(raw, np.dtype("<f4"))
    return sound


def _pcm24(sound: Sound) -> bytes:
    """Little-endian integers of three bytes."""
    whole = np.round(sound * (2**23 - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()

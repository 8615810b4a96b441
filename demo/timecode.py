"""A quiet time code that a program can read out of any recording of the demo track.

At each whole second of the film a rising chirp of 50 ms begins, exactly; five tones follow it and
spell the second's number with a checksum. The chirp says *when* to a few microseconds (matched
filter, its peak interpolated), the tones say *which* second. All of it lies between 2 and 6.5 kHz
at -26 dBFS and below: a soft tick beside a voice, kept by AAC at 32 kbit/s (whose native encoder
cuts at 9.5 kHz) and by Opus at 24 kbit/s.

Everything here is arithmetic on samples: no clock, no file, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE_HZ = 48_000
# 13 bits of film second: two hours and a quarter.
MAX_SECONDS = 1 << 13

_CHIRP_S = 0.050
_CHIRP_FROM_HZ, _CHIRP_TO_HZ = 2_000.0, 6_500.0
_CHIRP_LEVEL = 10 ** (-26 / 20)

# Five symbols of four bits: 13 bits of film second, then 7 bits of CRC.
_SYMBOLS = 5
_SYMBOL_BITS = 4
_SYMBOL_S = 0.050
_SYMBOLS_START_S = 0.070
# 16 tones, 200 Hz apart: ten times the 20 Hz that 50 ms can tell apart.
_TONE_FROM_HZ, _TONE_STEP_HZ = 2_400.0, 200.0
_TONE_LEVEL = 10 ** (-32 / 20)
_CRC_BITS = 7
_CRC_POLYNOMIAL = 0x09  # CRC-7/MMC, x^7 + x^3 + 1

# Share of a stretch's energy, as amplitude, that must be the chirp. Noise of this bandwidth and
# length reaches 0.05 on average, so 0.3 is out of its reach; a loud sibilant over the chirp
# leaves it below and that second is passed over.
_SCORE_FLOOR = 0.3
# Two chirps are a second apart; playback rates up to 1.5 bring them no nearer than this.
_APART_S = 0.5
# Readings agree when film time went on at 0.8 to 1.25 of real time between them.
_RATE_SPREAD = 0.25
_NEIGHBOURS_S = 6.0

# A player that corrects itself plays a little faster or slower, and its pitch may go with that.
_PACES = (1.0, 1.03, 0.97, 1.06, 0.94)

_WINDOW_S = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """The film's second `film_s` begins at `position` (in samples, with a fraction)."""

    position: float
    film_s: int


def encode(total_seconds: int, first_second: int = 0) -> Iterator[Samples]:
    """Yield the code of each second as 48,000 float samples, from *first_second* on.

    Raises ValueError past MAX_SECONDS, which the code cannot spell.
    """
    if first_second + total_seconds > MAX_SECONDS:
        raise ValueError(f"the time code ends at second {MAX_SECONDS}")
    chirp = _CHIRP_LEVEL * _chirp(RATE_HZ).real
    tones = [_TONE_LEVEL * _tone(symbol, RATE_HZ).real for symbol in range(1 << _SYMBOL_BITS)]
    for second in range(first_second, first_second + total_seconds):
        block = np.zeros(RATE_HZ, dtype=np.float32)
        block[: len(chirp)] = chirp
        for index, symbol in enumerate(_symbols(second)):
            at = round((_SYMBOLS_START_S + index * _SYMBOL_S) * RATE_HZ)
            block[at : at + len(tones[symbol])] = tones[symbol]
        yield block


def decode(samples: NDArray[np.floating], rate_hz: int = RATE_HZ) -> list[Mark]:
    """Find every second that can be read in *samples* (mono, full scale 1.0), in order.

    A reading stands only if another within six seconds agrees with it, so an accident of the
    voice is not taken for a time. A chirp whose tones are drowned takes its number from such a
    neighbour.
    """
    return _agreed(_candidates(samples, rate_hz), rate_hz)


@dataclass(frozen=True, slots=True)
class _Candidate:
    position: float
    film_s: int | None


def _candidates(samples: NDArray[np.floating], rate_hz: int) -> list[_Candidate]:
    """Every chirp, with its number where the tones could be read; in windows, so memory is flat."""
    template = _chirp(rate_hz)
    tail = round((_SYMBOLS_START_S + _SYMBOLS * _SYMBOL_S) * rate_hz) + len(template)
    step = _WINDOW_S * rate_hz
    found: list[_Candidate] = []
    for start in range(0, len(samples), step):
        window = np.asarray(samples[max(0, start - 8) : start + step + tail], dtype=np.float64)
        origin = max(0, start - 8)
        for peak in _peaks(_scores(window, template, rate_hz), rate_hz):
            position = origin + peak
            if position >= start + step or (
                found and position - found[-1].position < _APART_S * rate_hz
            ):
                continue
            found.append(_Candidate(position, _read_number(window, peak, rate_hz)))
    return found


def _scores(window: NDArray[np.float64], template: NDArray[np.complex128], rate_hz: int) -> Samples:
    """Normalised envelope of the matched filter at each sample of *window*, from 0 to 1."""
    length = len(window) + len(template)
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.fft(window, size)
    frequency = np.fft.fftfreq(size, 1 / rate_hz)
    # Only the band of the chirp, and only its positive half: the voice below it does not count.
    band = (frequency > _CHIRP_FROM_HZ - 200) & (frequency < _CHIRP_TO_HZ + 200)
    spectrum[~band] = 0
    analytic = np.fft.ifft(spectrum)
    correlation = np.fft.ifft(spectrum * np.conj(np.fft.fft(template, size)))
    energy = np.concatenate(([0.0], np.cumsum(np.abs(analytic) ** 2)))
    stretch = energy[len(template) :] - energy[: -len(template)]
    norm = float(np.sum(np.abs(template) ** 2))
    # The floor keeps digital silence from scoring: -80 dBFS over the chirp's length.
    floor = norm * 1e-8
    score = np.abs(correlation[: len(stretch)]) / np.sqrt(norm * (stretch + floor))
    return score[: len(window)].astype(np.float32)


def _peaks(score: Samples, rate_hz: int) -> Iterator[float]:
    """Positions of the highest score of each stretch above the floor, interpolated."""
    above = np.flatnonzero(score > _SCORE_FLOOR)
    if len(above) == 0:
        return
    for group in np.split(above, np.flatnonzero(np.diff(above) > _APART_S * rate_hz) + 1):
        # A group may be long where the score hovers: take the best of each half second in it.
        best = int(group[np.argmax(score[group])])
        if 0 < best < len(score) - 1:
            left, centre, right = (float(s) for s in score[best - 1 : best + 2])
            bend = left - 2 * centre + right
            yield best + (0.5 * (left - right) / bend if bend < 0 else 0.0)
        else:
            yield float(best)


def _read_number(window: NDArray[np.float64], peak: float, rate_hz: int) -> int | None:
    """Second that the tones after the chirp at *peak* spell, None where the checksum is wrong."""
    for pace in _PACES:
        second = _read_at_pace(window, peak, rate_hz, pace)
        if second is not None:
            return second
    return None


def _read_at_pace(
    window: NDArray[np.float64], peak: float, rate_hz: int, pace: float
) -> int | None:
    probes = np.array([np.conj(_tone(s, rate_hz, pace)) for s in range(1 << _SYMBOL_BITS)])
    value = 0
    for index in range(_SYMBOLS):
        at = round(peak + (_SYMBOLS_START_S + index * _SYMBOL_S) / pace * rate_hz)
        piece = window[at : at + probes.shape[1]]
        if len(piece) < probes.shape[1]:
            return None
        value = (value << _SYMBOL_BITS) | int(np.argmax(np.abs(probes @ piece)))
    second, crc = value >> _CRC_BITS, value & ((1 << _CRC_BITS) - 1)
    return second if _crc7(second) == crc else None


def _agreed(candidates: list[_Candidate], rate_hz: int) -> list[Mark]:
    read = [Mark(c.position, c.film_s) for c in candidates if c.film_s is not None]
    trusted = [m for m in read if any(m is not o and _agree(m, o, rate_hz) for o in read)]
    marks = {m.position: m for m in trusted}
    for candidate in candidates:
        if candidate.film_s is None and trusted:
            near = min(trusted, key=lambda m: abs(m.position - candidate.position))
            gap = round((candidate.position - near.position) / rate_hz)
            guess = Mark(candidate.position, near.film_s + gap)
            if gap != 0 and guess.film_s >= 0 and _agree(guess, near, rate_hz):
                marks[guess.position] = guess
    return [marks[position] for position in sorted(marks)]


def _agree(one: Mark, other: Mark, rate_hz: int) -> bool:
    elapsed = (one.position - other.position) / rate_hz
    film = one.film_s - other.film_s
    if film == 0 or abs(elapsed) > _NEIGHBOURS_S:
        return False
    return 1 - _RATE_SPREAD < film / elapsed < 1 + _RATE_SPREAD


def _chirp(rate_hz: int) -> NDArray[np.complex128]:
    """Analytic linear chirp under a Hann window, peak 1: gentle to the ear, with low sidelobes."""
    time = np.arange(round(_CHIRP_S * rate_hz)) / rate_hz
    slope = (_CHIRP_TO_HZ - _CHIRP_FROM_HZ) / _CHIRP_S
    phase = 2 * np.pi * (_CHIRP_FROM_HZ * time + 0.5 * slope * time**2)
    return np.asarray(np.hanning(len(time)) * np.exp(1j * phase))


def _tone(symbol: int, rate_hz: int, pace: float = 1.0) -> NDArray[np.complex128]:
    """Tone of a symbol; played *pace* times as fast it is higher and shorter."""
    time = np.arange(round(_SYMBOL_S / pace * rate_hz)) / rate_hz
    frequency = (_TONE_FROM_HZ + _TONE_STEP_HZ * symbol) * pace
    return np.asarray(np.hanning(len(time)) * np.exp(2j * np.pi * frequency * time))


def _symbols(second: int) -> list[int]:
    value = (second << _CRC_BITS) | _crc7(second)
    mask = (1 << _SYMBOL_BITS) - 1
    return [(value >> (_SYMBOL_BITS * index)) & mask for index in reversed(range(_SYMBOLS))]


def _crc7(second: int) -> int:
    # The register begins at ones, so that second 0 is not spelled by five equal tones.
    register = (1 << _CRC_BITS) - 1
    for bit in range(12, -1, -1):
        top = (register >> (_CRC_BITS - 1)) ^ ((second >> bit) & 1)
        register = (register << 1) & ((1 << _CRC_BITS) - 1)
        if top:
            register ^= _CRC_POLYNOMIAL
    return register

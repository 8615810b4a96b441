"""From a recording to a `Result`: how far off each moment was, and which were missing.

A moment that cannot be read is no error of 0: the sound may be elsewhere by more than can be
looked for, or there may be none. So what cannot be read is counted, and its longest stretch is
held against a limit (bench/sync_result.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench import murmur
from bench.murmur import Reading
from bench.sync_result import SETTLED_S, Result, synced_after_s
from demo.browser import Heard, read_recording
from demo.sound import Recording

# A reading needs so much of the recording around it, and the code of a second all of that.
_EDGE_S = 0.1
_WHOLE_S = 2.0


@dataclass(frozen=True)
class Film:
    """A film that starts in so long. One that murmurs is read at every moment (bench/murmur.py).

    Of the others each second is read where its code sounds, but for the `silent` seconds.
    """

    movie_id: str
    starts_in: timedelta
    murmurs: bool
    silent: range = range(0)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the host's clock at which something should be heard; None where nothing was."""

    at: float
    reading: Reading | None


def of_each_second(
    heard: Iterable[Heard],
    movie_start: float,
    until: float,
    silent: Container[int],
    since: float | None = None,
) -> list[Moment]:
    """Each second of a film's code between two instants; without the first, from what was heard."""
    read = {one.film_s: one.at for one in heard}
    if since is not None:
        first = int(since - movie_start) + 2
    elif read:
        first = min(read)
    else:
        return []
    last = int(until - _WHOLE_S - movie_start)
    return [
        Moment(
            read.get(film_s, movie_start + film_s),
            Reading(read[film_s], film_s - (read[film_s] - movie_start))
            if film_s in read
            else None,
        )
        for film_s in range(first, max(last, *read, first) + 1)
        if film_s in read or film_s not in silent
    ]


def take(
    result: Result,
    recording: Recording,
    film: Film,
    start: float,
    since: float,
    *,
    until: float | None = None,
    first_word_counts: bool = False,
    sounding: bool = False,
    from_the_sound: bool = False,
) -> None:
    """Add what was recorded from *since* on: errors of what has settled, and how long that took.

    It settles from its first sound on; from *since* on where it was *sounding* before already. How
    long it took is counted from *since*, or *from_the_sound* that came first after it.
    """
    heard = read_recording(recording, since)
    result.bound_ms = max(result.bound_ms, heard.bound_s * 1000)
    first_at = heard.first_sound_at
    end = recording.time_of(len(recording.samples)) if until is None else until
    if first_at is None or first_at >= end:
        result.joins_s.append(float("inf"))
        return
    if film.murmurs:
        moments = [
            Moment(first_at + _EDGE_S + count * murmur.STEP_S, reading)
            for count, reading in enumerate(
                murmur.read(recording, start, first_at + _EDGE_S, end - _EDGE_S)
            )
        ]
    else:
        seconds = [one for one in heard.heard if one.at < end]
        moments = of_each_second(seconds, start, end, film.silent, since if sounding else None)
    result.readings += [
        (one.reading.at - since, one.reading.error_s * 1000) for one in moments if one.reading
    ]
    began = since if sounding else first_at
    settled = [one for one in moments if one.at >= began + SETTLED_S]
    result.errors_ms += [one.reading.error_s * 1000 for one in settled if one.reading]
    if first_word_counts:
        early = moments[: len(moments) - len(settled)]
        result.first_ms += [one.reading.error_s * 1000 for one in early if one.reading]
    step_s = murmur.STEP_S if film.murmurs else 1.0
    count_unread(result, settled, step_s)
    counted_from = first_at if from_the_sound else since
    readings = [one.reading for one in moments]
    result.joins_s.append(synced_after_s(readings, began, counted_from, heard.bound_s, step_s))


def count_unread(result: Result, moments: Sequence[Moment], step_s: float) -> None:
    """Add how many of *moments*, *step_s* apart, were not read, and the longest stretch of them."""
    result.moments += len(moments)
    result.step_ms = max(result.step_ms, step_s * 1000)
    for missing, stretch in itertools.groupby(moments, lambda one: one.reading is None):
        if missing:
            count = len(list(stretch))
            result.unread += count
            result.hole_ms = max(result.hole_ms, count * step_s * 1000)

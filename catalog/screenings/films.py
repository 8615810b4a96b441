"""What Tell knows of a film itself."""

from __future__ import annotations

from sqlalchemy import select

from catalog.store.database import Database
from catalog.store.schema import movies


class Films:
    """The films for which tickets were sold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def poster_path(self, environment: str, movie_id: str) -> str | None:
        """Where the partner has the film's poster; None without one. Raises DatabaseError."""
        query = select(movies.c.poster_path).where(
            movies.c.environment == environment, movies.c.movie_id == movie_id
        )
        async with self._database.read(stale_ok=True) as connection:
            path: str | None = (await connection.execute(query)).scalar_one_or_none()
        return path

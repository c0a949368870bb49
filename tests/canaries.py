"""Random literals that must never be seen in SQL text: whatever a client writes is a parameter."""

import datetime as dt
import random
import string

LEAST = 12  # characters; so many random ones are in no statement by chance


class Canaries:
    """Makes literals of every type and remembers how each would look in a statement."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.made: list[str] = []

    def text(self) -> str:
        return self._kept("".join(self._random.choices(string.ascii_letters, k=LEAST)))

    def integer(self) -> int:
        """Of 15 digits."""
        return int(self._kept(str(self._random.randrange(10**14, 10**15))))

    def number(self) -> float:
        """A fraction of 15 digits, and none of its digits are those of an integer."""
        value = self._random.randrange(10**14, 10**15) / 10**9
        self._kept(f"{value:.9f}".rstrip("0"))
        return value

    def longitude(self) -> float:
        """Of 15 digits, between 100 and 110 degrees; `latitude` between 10 and 20."""
        return self._degrees(100)

    def latitude(self) -> float:
        return self._degrees(10)

    def day(self) -> dt.date:
        day = dt.date(1900, 1, 1) + dt.timedelta(days=self._random.randrange(80_000))
        self._kept(day.isoformat())
        return day

    def moment(self) -> dt.datetime:
        """An instant in UTC, to the microsecond."""
        seconds = self._random.randrange(10**9)
        made = dt.datetime(1990, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds, microseconds=123457)
        self._kept(made.isoformat()[:19])
        return made

    def check(self, sql: str) -> None:
        """Fails where any literal that was made stands in the statement."""
        found = [canary for canary in self.made if canary in sql]
        assert not found, f"literals in the text of a statement: {found}\n{sql}"

    def _degrees(self, least: int) -> float:
        value = least + self._random.randrange(10**11, 10**12) / 10**11
        self._kept(repr(value)[:14])
        return value

    def _kept(self, literal: str) -> str:
        self.made.append(literal)
        return literal

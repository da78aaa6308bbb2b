"""How often a key may ask: a bucket of tokens for each."""

from __future__ import annotations

from dataclasses import dataclass, field

_REMEMBERED = 10_000


@dataclass
class Buckets:
    """A bucket per key, filled at ``per_second``, holding at most ``burst``.

    Examples
    --------
    >>> b = Buckets(per_second=1.0, burst=2.0)
    >>> [b.wait("k", 0.0), b.wait("k", 0.0), b.wait("k", 0.0), b.wait("k", 1.0)]
    [0.0, 0.0, 1.0, 0.0]
    """

    per_second: float
    burst: float
    levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, key: str, now: float) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        level, then = self.levels.get(key, (self.burst, now))
        level = min(level + (now - then) * self.per_second, self.burst)
        if level < 1.0:
            self.levels[key] = level, now
            return (1.0 - level) / self.per_second
        self.levels[key] = level - 1.0, now
        if len(self.levels) > _REMEMBERED:
            del self.levels[next(iter(self.levels))]
        return 0.0

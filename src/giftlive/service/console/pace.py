"""How long a what-if will still take, from what was measured of it and of the one before."""

from __future__ import annotations

from dataclasses import dataclass, field

_FIRST, _LATER = 13.0, 4.7
"""A what-if takes so many times what loading its code takes: the first on a machine compiles it
(1.7 s of CPU to load; the first rollouts of either kind, drawn out to a whole what-if, 21.5 and
7.8 s). All grow on a slow or busy machine, loading most of all
where the disk is slow, so this is a guess and rather too long."""


@dataclass
class Pace:
    """The times at which a what-if was heard of.

    Worlds are played one after the other and cost the same, so the latest whole one says what the
    rest will take. Before the first is played, the what-if before says it; where there was none,
    the time that loading took is a guess.

    Attributes
    ----------
    began : seconds of a clock that never goes back. before : seconds of a rollout in the what-if
        before this one.
    total, worlds : rollouts, and in how many worlds. compiled : its code is kept on this machine.
    loaded, at : when the code was loaded, and when each rollout was played.

    Examples
    --------
    >>> pace = Pace(began=0.0)
    >>> pace.hear({"done": 0, "total": 6, "worlds": 3}, 2.0)
    >>> pace.left(2.0)
    24.0
    >>> for k, now in enumerate((20.0, 21.0, 22.0, 23.0)):
    ...     pace.hear({"done": k + 1, "total": 6}, now)
    >>> pace.left(23.5)
    1.5
    """

    began: float
    before: float | None = None
    total: int = 0
    worlds: int = 1
    compiled: bool = False
    loaded: float | None = None
    at: list[float] = field(default_factory=list)

    def hear(self, said: dict[str, int], now: float) -> None:
        """Take in a line of the process that plays."""
        self.total = said.get("total", self.total)
        self.worlds = said.get("worlds", self.worlds)
        self.compiled = bool(said.get("compiled", self.compiled))
        if said.get("done", 0) > 0:
            self.at.append(now)
        elif self.loaded is None:
            self.loaded = now

    def left(self, now: float) -> float | None:
        """Return the seconds that are left; None where nothing is known, or it is late."""
        each = self.rollout()
        if each is not None:
            return max(each * (self.total - len(self.at)) - (now - self.at[-1]), 0.0)
        if self.loaded is None:
            return None
        loading = self.loaded - self.began
        whole = loading * (_LATER if self.compiled else _FIRST)
        if self.before is not None:
            whole = loading + self.total * self.before
        rest = whole - (now - self.began)
        return rest if rest > 0.0 else None

    def rollout(self) -> float | None:
        """Return the seconds of one in the latest whole world; None before the first is played."""
        size = self.total // max(self.worlds, 1)
        whole = len(self.at) // size if size else 0
        if whole >= 2:
            return (self.at[whole * size - 1] - self.at[(whole - 1) * size - 1]) / size
        if whole == 1 and size > 1:
            return (self.at[size - 1] - self.at[0]) / (size - 1)
        return None

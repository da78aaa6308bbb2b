from datetime import UTC, date, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from giftlive import clock

ZONES = ("Asia/Shanghai", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
instants = st.integers(min_value=0, max_value=2_000_000_000_000)


@given(instants, st.sampled_from(ZONES))
def test_day_hour_and_weekday_are_those_of_the_wall_clock(ts: int, name: str) -> None:
    tz = clock.zone(name)
    wall = datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(tz)
    at = np.array([ts])
    assert clock.local_day(at, tz)[0] == (wall.date() - date(1970, 1, 1)).days
    assert clock.local_hour(at, tz)[0] == wall.hour
    assert clock.local_weekday(at, tz)[0] == wall.weekday()


def test_a_day_with_a_clock_change_has_23_hours() -> None:
    tz = clock.zone("America/New_York")
    length = clock.midnight_ms(date(2015, 3, 9), tz) - clock.midnight_ms(date(2015, 3, 8), tz)
    assert length == 23 * clock.MS_PER_HOUR

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive import clock

ZONES = (
    *("Asia/Shanghai", "America/New_York", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Australia/Adelaide", "America/Havana", "America/Sao_Paulo"),
)
CHANGES = {
    "Australia/Adelaide": datetime(2025, 4, 5, 16, 30, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2025, 4, 5, 15, tzinfo=UTC),
    "America/St_Johns": datetime(2025, 11, 2, 4, 30, tzinfo=UTC),
    "America/Havana": datetime(2025, 11, 2, 5, tzinfo=UTC),  # back to midnight, of the same day
    "America/Sao_Paulo": datetime(2018, 11, 4, 3, tzinfo=UTC),  # a day without a midnight
    "Pacific/Apia": datetime(2011, 12, 30, 10, tzinfo=UTC),  # a date that never was
}
MIDNIGHT_TWICE = {
    "America/St_Johns": (date(2010, 11, 7), datetime(2010, 11, 7, 3, 30, tzinfo=UTC)),
    "Antarctica/Casey": (date(2010, 3, 5), datetime(2010, 3, 4, 16, tzinfo=UTC)),
}
instants = st.integers(min_value=0, max_value=2_000_000_000_000)


def ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


@given(instants, st.sampled_from(ZONES))
def test_day_hour_and_weekday_are_those_of_the_wall_clock(ts: int, name: str) -> None:
    tz = clock.zone(name)
    wall = datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(tz)
    at = np.array([ts])
    assert clock.local_day(at, tz)[0] == (wall.date() - date(1970, 1, 1)).days
    assert clock.local_hour(at, tz)[0] == wall.hour
    assert clock.local_weekday(at, tz)[0] == wall.weekday()


@pytest.mark.parametrize("name", CHANGES)
def test_every_quarter_around_a_change_has_the_hour_of_the_wall(name: str) -> None:
    tz, change = clock.zone(name), ms(CHANGES[name])
    at = np.arange(-3 * clock.MS_PER_DAY, 3 * clock.MS_PER_DAY, clock.MS_PER_QUARTER) + change
    at = np.concatenate([at, at - 1])
    walls = [datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(tz) for ts in at.tolist()]
    assert clock.local_hour(at, tz).tolist() == [wall.hour for wall in walls]
    dates = [wall.date().toordinal() - date(1970, 1, 1).toordinal() for wall in walls]
    assert clock.local_day(at, tz).tolist() == dates


@pytest.mark.parametrize(
    ("name", "around"),
    [*CHANGES.items(), *((name, start) for name, (_, start) in MIDNIGHT_TWICE.items())],
)
def test_days_follow_each_other(name: str, around: datetime) -> None:
    tz = clock.zone(name)
    at = np.arange(-2 * clock.MS_PER_DAY, 2 * clock.MS_PER_DAY, 60_000) + ms(around)
    day = clock.local_day(at, tz)
    assert (np.diff(day) >= 0).all()
    assert (clock.day_starts_ms(day, tz) <= at).all()
    assert (at < clock.day_starts_ms(day + 1, tz)).all()


@pytest.mark.parametrize("name", MIDNIGHT_TWICE)
def test_a_day_that_comes_back_ends_at_the_second_midnight(name: str) -> None:
    (day, start), tz = MIDNIGHT_TWICE[name], clock.zone(name)
    assert clock.midnight_ms(day, tz) == ms(start)


def test_a_change_at_one_past_midnight_is_a_minute_early() -> None:
    tz, change = clock.zone("America/St_Johns"), ms(datetime(2010, 11, 7, 2, 31, tzinfo=UTC))
    at = change + 60_000 * np.arange(-90, 90)
    walls = [datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(tz).hour for ts in at.tolist()]
    wrong = np.flatnonzero(clock.local_hour(at, tz) != walls)
    assert (at[wrong] - change).tolist() == [-60_000]


def test_a_day_with_a_clock_change_has_23_hours() -> None:
    tz = clock.zone("America/New_York")
    length = clock.midnight_ms(date(2015, 3, 9), tz) - clock.midnight_ms(date(2015, 3, 8), tz)
    assert length == 23 * clock.MS_PER_HOUR

"""Line numbers against a slow, independent count."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from giftlive.logs.lines import line_count, line_jumps

RECORDS = st.lists(st.sampled_from(["1,2", "", '1,"a\nb\n\nc"', "broken", '"x""y",2']), max_size=25)


def line_of(good: int, after: list[int], shift: list[int]) -> int:
    passed = [s for a, s in zip(after, shift, strict=True) if a < good]
    return good + 1 + (passed[-1] if passed else 0)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=RECORDS, last_break=st.booleans())
def test_every_record_is_found_on_its_line(
    tmp_path: Path, records: list[str], last_break: bool
) -> None:
    file = tmp_path / "t.csv"
    text = "\n".join(["a,b", *records]) + ("\n" if last_break else "")
    file.write_text(text, encoding="utf-8")
    good_lines, broken_lines, broken = [], [], []
    line = 2
    for number, record in enumerate(records, start=2):
        if record == "broken":
            broken.append(number)
            broken_lines.append(line)
        elif record:
            good_lines.append(line)
        line += 1 + record.count("\n")
    after, shift, lines = line_jumps(file, np.array(broken, dtype=np.int64), len(good_lines))
    assert lines.tolist() == broken_lines
    for good, expected in enumerate(good_lines, start=1):
        assert line_of(good, after.tolist(), shift.tolist()) == expected


@pytest.mark.parametrize(
    ("content", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2)]
)
def test_lines_are_counted_in_plain_and_compressed_files(
    tmp_path: Path, content: bytes, lines: int
) -> None:
    plain, packed = tmp_path / "t.csv", tmp_path / "t.csv.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    assert line_count(plain) == line_count(packed) == lines

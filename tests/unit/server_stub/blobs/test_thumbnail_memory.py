"""The largest picture that is decoded at all: how much memory it takes, measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

MEASURE = """
import pathlib, sys
from server_stub.storage.thumbnails import load_thumbnail
data, type_ = load_thumbnail(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), 96, webp=True)
assert type_ == "image/webp" and data
status = pathlib.Path("/proc/self/status").read_text()  # getrusage would count the parent as well
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measured through /proc")
def test_the_largest_picture_is_never_held_three_times(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 64)
    Image.new("RGBA", (6300, 6300), (200, 30, 30, 128)).save(path, "PNG", compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(tmp_path / "cache")],
        cwd=Path(__file__).resolve().parents[4],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(done.stdout) < 450  # MiB; 160 MiB are the decoded picture, 160 the copy Pillow resizes

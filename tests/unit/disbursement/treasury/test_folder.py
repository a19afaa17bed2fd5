"""The folder that a bank's machine fetches from: each file stands there once, whoever dies and whoever fetches."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from disbursement.treasury.channels import FolderChannel, Parcel

PARCEL = Parcel.of(key="k", name="202603001.csv", content=b"paid")


def visible(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


@pytest.mark.parametrize("marked", [False, True])
def test_a_file_that_was_fetched_is_not_put_there_again_by_who_did_not_hear_of_it(tmp_path: Path, marked: bool) -> None:
    channel = FolderChannel(tmp_path, marked=marked)
    assert channel.hand_over(PARCEL, tried=False)
    stood = visible(tmp_path / "out")
    assert stood == (["202603001.csv", "202603001.csv.done"] if marked else ["202603001.csv"])
    for name in stood:
        (tmp_path / "out" / name).unlink()
    assert channel.hand_over(PARCEL, tried=True)
    assert visible(tmp_path / "out") == []


def test_a_writer_that_died_before_the_file_stood_there_is_followed_by_one_that_puts_it_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in (".202603001.csv.x1.part", ".202603001.csv.x1.part.sent", ".202603001.csv.x2.part"):
        (tmp_path / "out" / name).write_bytes(b"")
    assert FolderChannel(tmp_path).hand_over(PARCEL, tried=True)
    assert (tmp_path / "out" / "202603001.csv").read_bytes() == b"paid"


def test_a_folder_from_which_people_take_files_has_them_again_when_asked(tmp_path: Path) -> None:
    channel = FolderChannel(tmp_path, again=True)
    channel.hand_over(PARCEL, tried=False)
    (tmp_path / "out" / "202603001.csv").unlink()
    channel.hand_over(PARCEL, tried=True)
    assert visible(tmp_path / "out") == ["202603001.csv"]


def test_of_two_that_write_at_once_the_slower_does_not_put_there_again_what_the_faster_did_and_the_bank_fetched(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not list(out.glob(".*.sent")):
                FolderChannel(tmp_path).hand_over(PARCEL, tried=False)
                (out / PARCEL.name).unlink()
            return super().read(size)

    slow = Parcel(PARCEL.key, PARCEL.name, PARCEL.sha256, PARCEL.size, lambda: Slow(b"paid"))
    assert FolderChannel(tmp_path).hand_over(slow, tried=True)
    assert visible(out) == []
    assert list(out.glob(".*.part")) == []

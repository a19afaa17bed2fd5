"""A name says what a file is, and nothing else."""

import pytest

from disbursement.scanning import clean_name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("发票.pdf", "发票.pdf"),
        ("发票.PDF", "发票.pdf"),
        ("../../etc/发票.pdf", "发票.pdf"),
        (r"C:\Users\a\发票.pdf", "发票.pdf"),
        ("发票.exe", "发票.exe.pdf"),
        ("fdp.\u202eexe.pdf", "fdp.exe.pdf"),
        ("a\0b\r\nc.pdf", "ab  c.pdf"),
        ('a"b<c>|d?.pdf', "a_b_c__d_.pdf"),
        ("con.pdf", "_con.pdf"),
        (".pdf", "材料.pdf"),
        ("", "材料.pdf"),
        (" .. ", "材料.pdf"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_names_are_shown_clean_and_end_in_what_the_bytes_are(given: str, shown: str) -> None:
    assert clean_name(given, extension=".pdf", default="材料") == shown


def test_another_ending_of_the_same_kind_is_replaced() -> None:
    assert clean_name("照片.JPEG", extension=".jpg", aliases=(".jpeg",), default="材料") == "照片.jpg"

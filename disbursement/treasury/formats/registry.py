"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .bank_csv import BankCsv
from .bank_return_csv import ReturnContent, read_csv, read_xlsx
from .base import FormatError, PaymentFormat
from .pain001 import Pain001

PAYMENT_FORMATS: Mapping[str, PaymentFormat] = {f.code: f for f in (BankCsv(), Pain001())}
RETURN_READERS: Mapping[str, Callable[[bytes], ReturnContent]] = {".csv": read_csv, ".xlsx": read_xlsx}


def payment_format(code: str) -> PaymentFormat:
    """The format of that code; raises FormatError with the known ones."""
    try:
        return PAYMENT_FORMATS[code]
    except KeyError:
        raise FormatError(f"没有文件格式“{code}”，可用：{'、'.join(PAYMENT_FORMATS)}。") from None


def read_return(name: str, content: bytes) -> ReturnContent:
    """A return file, by the ending of its name. Raises FormatError."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    reader = RETURN_READERS.get(suffix)
    if reader is None:
        raise FormatError(f"不支持“{name}”的文件类型，回单应为{'、'.join(RETURN_READERS)}文件。")
    return reader(content)

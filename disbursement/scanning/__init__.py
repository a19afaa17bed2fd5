"""What is a safe file: known by its bytes, whole, and with nothing in it that runs.

`inspect` answers from the bytes alone; `clamav` asks a virus scanner where one is configured. Both know no database.
Refused when in doubt: what a checker cannot read to its end is not taken, and the refusal says what to do instead.
"""

from disbursement.scanning.clamav import Scanner, ScannerAway, Verdict
from disbursement.scanning.inspect import EXTENSIONS, FileKind, inspect
from disbursement.scanning.names import clean_name
from disbursement.scanning.unsafe import Unsafe

__all__ = ["EXTENSIONS", "FileKind", "Scanner", "ScannerAway", "Unsafe", "Verdict", "clean_name", "inspect"]

"""A bank that pays nothing: it reads our files as a bank would, answers in every format, and misbehaves on demand.

For tests, for the demo, and for trying a gateway out (`manage.py bank_simulator`). It reads payment files with code of
its own, so that a file only we can read does not pass for readable.
"""

from .answers import ANSWER_FORMATS, Answer, write_answer
from .bank import Bank, Mischief
from .orders import Ordered, read_order

__all__ = ["ANSWER_FORMATS", "Answer", "Bank", "Mischief", "Ordered", "read_order", "write_answer"]

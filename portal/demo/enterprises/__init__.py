"""The demo district's enterprises: generated, the same for the same seed and day, with people in the story by name.

Nobody here exists: names and codes are made up, the codes carry true check digits.
"""

from .generate import SEED, generate, write_enterprises
from .people import BOUNCED, CREDIT_FALLER, PROTAGONIST, credit_fall, form_answers

__all__ = [
    "BOUNCED",
    "CREDIT_FALLER",
    "PROTAGONIST",
    "SEED",
    "credit_fall",
    "form_answers",
    "generate",
    "write_enterprises",
]

"""What an item pays (the Award section of the criteria language): parse it, estimate it, split it in instalments.

>>> award = parse_award({"rules": [{"rate": "50", "of": "invoice_total", "cap": "1000000"}]}, vocabulary)
>>> estimate(award, facts, as_of).low
Decimal('600000.00')
"""

from .award_compute import Estimate, estimate, split_instalments
from .award_parse import Award, Base, Bonus, Bracket, Rule, When, parse_award

__all__ = [
    "Award",
    "Base",
    "Bonus",
    "Bracket",
    "Estimate",
    "Rule",
    "When",
    "estimate",
    "parse_award",
    "split_instalments",
]

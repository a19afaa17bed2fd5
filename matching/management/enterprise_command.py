"""What the commands that touch enterprises share: telling problems with their place, days, progress on a terminal."""

import argparse
from datetime import date
from typing import NoReturn

from django.core.management.base import BaseCommand

from matching.criteria import Collector
from matching.criteria.values import read_date
from matching.files import LineProblem

WRONG_INPUT = 2


class EnterpriseCommand(BaseCommand):
    """Exit codes: 0; 2 where the input is wrong, with every mistake on standard error, one a line."""

    def tell(self, problem: LineProblem) -> None:
        self.stderr.write(str(problem))

    def refuse(self, message: str) -> NoReturn:
        self.stderr.write(message)
        raise SystemExit(WRONG_INPUT)


def day_argument(text: str) -> date:
    """A day of the command line, YYYY-MM-DD."""
    problems = Collector()
    day = read_date(text, "", problems)
    if day is None:
        raise argparse.ArgumentTypeError(problems.problems[0].message)
    return day

"""Budget lines: changed by two people, watched, closed at the year's end, taken over by the next."""

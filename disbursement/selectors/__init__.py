"""Reading: lists and figures for the desks, each with a bounded number of queries."""

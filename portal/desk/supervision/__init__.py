"""The supervisors' pages: the ledger, the figures, urgings, reports; and what each person sees of their own."""

"""The month's run: cut-off days, preflight, cut-off, the batches' signatures."""

"""Single payments and their way to the bank and back: accounts, sealed files, gateways, returns, reconciliation."""

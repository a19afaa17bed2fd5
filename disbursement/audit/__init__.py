"""Proof that nothing was tampered with: `manage.py audit`.

`signing` gives each database session its secret; `chain` checks the links and anchors; the other modules are checks
over what the tables say; `service` runs them.
"""

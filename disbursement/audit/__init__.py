"""Proof that nothing was tampered with: `manage.py audit`.

`signing` gives each database session its secret; `links` and `anchors` check what is chained; the other modules are
checks over what the tables say; `service` runs them.
"""

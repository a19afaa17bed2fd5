"""What the CMS does when pages are published, listed, imported; keyword-only functions."""

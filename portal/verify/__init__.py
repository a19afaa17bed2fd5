"""The public page on which anyone who holds a notice confirms its number, hash and date."""

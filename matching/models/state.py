"""For which enterprises the stored matches are known to be what the engine says, and by what.

A night asks this of every enterprise, so that one for which nothing changed costs neither a read of its matches nor a
reason. See `matching.services.night` for what the two rows prove.
"""

from django.db import models

from matching.models.enterprise import Enterprise


class MatchedListing(models.Model):
    """By what a night matched: the versions then listed and open, the vocabulary, the engine. Named by its content."""

    digest = models.CharField(max_length=64, unique=True)
    content = models.JSONField()

    def __str__(self) -> str:
        return self.digest[:12]


class MatchedState(models.Model):
    """While this row stands, the enterprise's matches are those of the engine over `listing`, where its leaves said
    `digest`.

    The database itself takes the row away when a match of the enterprise is written or deleted by anyone (a trigger
    on `matching_match`); the night that brings matches up to date writes it last.
    """

    enterprise = models.OneToOneField(Enterprise, models.CASCADE, primary_key=True, related_name="matched_state")
    listing = models.ForeignKey(MatchedListing, models.CASCADE, related_name="states")
    digest = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"{self.enterprise_id}: {self.digest}"

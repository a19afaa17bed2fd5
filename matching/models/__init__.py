from matching.models.enterprise import Enterprise, Fact, Profile
from matching.models.indexing import PendingIndexWrite, ProfileReading
from matching.models.match import Match, Verdict
from matching.models.policy import PolicyItem, PolicyVersion
from matching.models.push import Push, PushCause
from matching.models.run import ChunkState, MatchChange, MatchChunk, MatchRun, RunCause, RunState, Standing
from matching.models.state import MatchedListing, MatchedState

__all__ = [
    "ChunkState",
    "Enterprise",
    "Fact",
    "Match",
    "MatchChange",
    "MatchChunk",
    "MatchRun",
    "MatchedListing",
    "MatchedState",
    "PendingIndexWrite",
    "PolicyItem",
    "PolicyVersion",
    "Profile",
    "ProfileReading",
    "Push",
    "PushCause",
    "RunCause",
    "RunState",
    "Standing",
    "Verdict",
]

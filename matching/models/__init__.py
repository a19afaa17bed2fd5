from matching.models.enterprise import Enterprise, Fact, Profile
from matching.models.match import Match, Verdict
from matching.models.policy import PolicyItem, PolicyVersion
from matching.models.push import Push, PushCause

__all__ = [
    "Enterprise",
    "Fact",
    "Match",
    "PolicyItem",
    "PolicyVersion",
    "Profile",
    "Push",
    "PushCause",
    "Verdict",
]

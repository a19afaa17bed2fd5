"""The ways to a bank and back, behind one protocol: by hand, a shared folder, HTTP.

A channel knows neither database nor settings. It is handed a parcel with a key that never changes for its bytes, any
number of times, and either knows that the bank has it (`Receipt`), knows that it has not (`Refusal`), or does not know
(`Unsure`): then the same parcel with the same key is handed to it again, never another.
"""

from .base import Arrival, ByHand, Channel, Parcel, Receipt, Refusal, Unsure
from .folder import FolderChannel
from .http import HttpChannel

__all__ = [
    "Arrival",
    "ByHand",
    "Channel",
    "FolderChannel",
    "HttpChannel",
    "Parcel",
    "Receipt",
    "Refusal",
    "Unsure",
]

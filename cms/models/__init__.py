from cms.models.document import PolicyDocumentPage
from cms.models.home import HomePage, PolicyIndexPage
from cms.models.item import Delivery, PolicyItemPage
from cms.models.reading import ReadingPage
from cms.models.search import SearchRow

__all__ = [
    "Delivery",
    "HomePage",
    "PolicyDocumentPage",
    "PolicyIndexPage",
    "PolicyItemPage",
    "ReadingPage",
    "SearchRow",
]

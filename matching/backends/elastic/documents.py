"""What the indices hold. New facts and codes add values, and range fields by template; no mapping is ever changed."""

from __future__ import annotations

from elasticsearch.dsl import Document, Flattened, Integer, Keyword, MetaField, Object


class ClauseDocument(Document):
    """A clause of a policy. ``holder`` tells whose policies these are, ``version`` one policy's rows as compiled."""

    holder = Keyword(required=True)
    version = Keyword(required=True)
    number = Integer(required=True)
    policy = Keyword(ignore_above=256, doc_values=False)
    asks = Keyword(multi=True, doc_values=False)
    codes = Flattened()
    ranges = Object(dynamic=True)

    class Meta:
        dynamic = MetaField("strict")
        dynamic_templates = MetaField(
            [
                {
                    "ranges": {
                        "path_match": "ranges.*",
                        "match_mapping_type": "object",
                        "mapping": {"type": "double_range"},
                    }
                }
            ]
        )

    class Index:
        settings = {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            # One field for each figure that some policy bounds; a district has some hundreds.
            "mapping.total_fields.limit": 10_000,
        }

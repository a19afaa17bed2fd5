"""Search on Elasticsearch: an index of what is published, its words cut and weighed by us.

The server adds up and counts; what a word is, what a query means and how strongly a document speaks of a word is
decided where the embedded engine decides it (`tokenise`, `expand`, `weighing`). So both give the same places, and
nothing but the server's core is used: keyword fields, constant scores, the `whitespace` analyzer, aggregations.
"""

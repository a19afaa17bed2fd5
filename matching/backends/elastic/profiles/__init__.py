"""The profile index: a document for each enterprise with what is known of it, asked with a policy's criteria.

``figures`` says which figures a document carries beside the facts themselves, ``document`` makes it, ``leaves`` and
``queries`` turn criteria into three-valued filters on it, ``index`` writes, counts and walks.
"""

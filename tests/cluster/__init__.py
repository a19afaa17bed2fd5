"""The service while Elasticsearch is not whole: nodes killed, stopped, frozen and emptied, under traffic.

Servers of its own (``nodes``), a proxy that spoils answers (``proxy``), a district large enough to take a while
(``district``), and people and workers who ask and change throughout (``traffic``, ``processes``).
"""

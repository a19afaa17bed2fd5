"""Files of enterprises, read line by line: JSONL as in the criteria language, CSV and XLSX with a column map.

No framework here, and nothing is written: what comes out are checked lines, and every problem with its place.
"""

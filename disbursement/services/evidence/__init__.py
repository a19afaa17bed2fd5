"""The evidence library and the files that come in: kept, scanned, followed into applications."""

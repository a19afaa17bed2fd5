"""免申即享, 即申即享, 快申快享, 限时即享: offers and consents, decisions by machine, lanes, promised days."""

"""公示: what is about to be granted, for anyone to read and to object to."""

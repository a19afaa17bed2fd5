"""An application as its enterprise makes and follows it: drafted, checked, submitted, mended, rated."""

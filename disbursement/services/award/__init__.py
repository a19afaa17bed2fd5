"""What is granted: the award and its payables, caps, papers that count once, the best lawful combination."""

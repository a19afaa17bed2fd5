"""What an administrator keeps: departments, budget lines, the working calendar, people and their roles."""

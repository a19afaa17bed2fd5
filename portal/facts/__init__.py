"""Facts as people read and type them: shown in words, asked for in forms. Used by every desk."""

"""What the department does with an application: on whose desk it lies, its steps, decisions, publicity, sampling."""

// Started with its first code.

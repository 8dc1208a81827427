"""The words of the command line, a module a group of verbs; nothing heavy is imported."""

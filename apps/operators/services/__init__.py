"""The verbs of operators, split by what they change."""

"""The pipeline declaration: its model, its JSON, its rules."""

"""The ways to write a pipeline down: AWS JSON and the arrow sketch, in and out."""

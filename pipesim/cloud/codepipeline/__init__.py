"""The service CodePipeline, in the layout of a moto service."""

"""The mocked AWS account in which pipelines really run."""

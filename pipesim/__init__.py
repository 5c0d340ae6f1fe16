"""pipesim: read, simulate, see and teach AWS CodePipeline."""

__version__ = "0.1.0"

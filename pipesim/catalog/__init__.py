"""The catalog: facts about AWS as data, each with its source."""

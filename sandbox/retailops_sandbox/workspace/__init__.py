"""The workspace: the user's folder.

workspace   fixtures, scenarios and receivers, over the shipped ones
fixtures    changes of fixtures, and their undo
payloads    fixtures as payloads
settings    configuration from environment and pyproject.toml
schemas     JSON Schemas of the user's files
files       reading and writing one file
names       names that users give to files, receivers and the like
"""

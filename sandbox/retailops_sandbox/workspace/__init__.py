"""The user's folder.

workspace   fixtures, scenarios and receivers, over the shipped ones
fixtures    changes of fixtures, which can be undone
payloads    fixtures as payloads
settings    configuration from environment and pyproject.toml
schemas     JSON Schemas of the user's files
files       reading and writing one file
names       names of files and of what is in them
"""

"""The workspace: the user's folder.

workspace   fixtures and scenarios, over the shipped ones
receivers   what receivers.json holds; receiver_database changes it through TinyDB
fixtures    changes of fixtures, and their undo
payloads    fixtures as payloads
settings    configuration from environment and pyproject.toml
schemas     JSON Schemas of the user's files
files       reading and writing one file
names       names that users give to files, receivers and the like
"""

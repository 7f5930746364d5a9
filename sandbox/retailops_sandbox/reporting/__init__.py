"""Reporters listen to a run, exporters write deliveries for other tools, and render has what both show."""

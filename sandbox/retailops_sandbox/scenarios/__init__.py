"""Scenarios.

scenario    scenario files, and a scenario as it was read
capturing   what steps take from answers
selection   which scenarios to run
trend       a result compared with that of an earlier run
"""

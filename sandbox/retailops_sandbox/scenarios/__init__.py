"""Scenarios.

scenario    scenario files, and a scenario as it was read
checking    the mistakes in one that its types do not exclude
capturing   what steps take from answers
selection   which scenarios to run
trend       a result compared with that of an earlier run
"""

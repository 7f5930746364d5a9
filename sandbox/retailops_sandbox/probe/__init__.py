"""Probing: is a receiver fit for production? Scenarios made from a contract, and what their answers show.

probes      what a probe is: a scenario, and what each of its steps tries
fields      the documented fields of a request, also those that a payload lacks
mutations   what is done to a field
orders      the ids of orders, and where they stand in payloads
trials/     what is tried, by area
generating  all probes of a contract, in the order in which they are sent
report      what a probe found, as it is kept, shown and compared
failing     which findings fail a probe that nobody watches
probing     one probe of one receiver, from its baseline to its report
keeping     the reports that a workspace keeps
"""

"""Probing: is a receiver fit for production? Scenarios made from a contract, and what their answers show.

probes      what a probe is: a scenario, and what each of its steps tries
fields      the documented fields of a request, also those that a payload lacks
mutations   what is done to a field
orders      the ids of orders, and where they stand in payloads
trials/     what is tried, by area
generating  all probes of a contract, in the order in which they are sent
report      what a probe found, as it is kept, shown and compared
observing   from answers to what they show; observers/ has a module for each kind of evidence
kinds       the kinds of finding: title, why it matters, how to fix it
phrases     mutations and requests in words
grouping    which fields and mutations explain alike failures
findings    from what was shown to its causes, worst first
scoring     how trials came out, by area and by field and mutation
earlier     a probe compared with an earlier one
failing     which findings fail a probe that nobody watches
options     what a probe is asked to do, and what it tells meanwhile
baseline    the valid request that a receiver accepts, which all is made from
sending     probes sent through the engine
confirming  which request a fault comes from
checking    scenarios that are run before a probe
shrinking   requests made smaller as long as they show the same
smallest    the smallest request of a finding, and the scenario that sends it again
results     what was tried and seen so far, and the report of it
probing     one probe of one receiver, from its baseline to its report
keeping     the reports that a workspace keeps
"""

"""What is tried, by area: the probes of each.

making       how each of them is made
contract     documented fields, and the fixtures as they are
repetition   the same order again
transport    how a request is spelled on the wire
auth         the proof of the sender
speed        one after another, and at once
"""

"""What is seen in the answers of a probe, one kind of evidence each.

shape      what a contract says of its answers, as far as it can be judged beyond the schema
reading    one answer, read: what it tells, and what it has in common with others
serving    5xx, no answer, a connection that is closed
demands    statuses and the response schema
leaks      what an answer gives away
telling    events that contradict, say nothing, or name what nobody asked about
naming     answers that name another order
repeating  orders that are acted on again, or though the request was refused
sameness   the same answer, whatever was asked
sdk_tool   what RetailOPS' published tool would say
timing     how long answers take
"""

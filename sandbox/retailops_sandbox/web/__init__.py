"""The browser's face of the sandbox.

app.py         create_app: the routes, and the pages for errors
serve.py       serve: binds, then runs the application and the stand-in in one event loop
security.py    who may talk to the sandbox, and what its pages may do
context.py        what the requests of one process share
pages.py       templates, assets, and how values are shown
forms.py       what comes in with a form
once.py        a double click does it once
sending.py     deliveries under way
resending.py   what a delivery sent, from the log alone
running.py     runs under way
library.py     the scenario files, as they are now
aim.py         where a run would go
results.py     what became of a run's scenarios
compose.py     the page where a payload is composed and sent
drafts.py      what stands in its form
fixtures.py    what the compose page does with fixtures
expectation.py what it does with the expected response
expected.py    an expected response as cards, and edits of its text
ruling.py      the rule at one expected value, as it is being made
findings.py    what is wrong with a payload as typed
orders.py      a send by hand, and what keeps one from being sent
choices.py     what a browser chose last
payload.py     the payload's panel: raw, as a form, as it would be sent
fields.py      the form made from contract and raw text, and what was typed into it
vocabulary.py  what the editor offers, from the contract
rehearsal.py   the request that a send would make
deliveries.py  the page of one delivery, and the log
rows.py        a delivery in one line
scenarios.py   the scenarios: find some, run them; and one with its text
wording.py     what a step does, in words
runs.py        the runs, and one with its results as they come
acceptance.py  reviews of what failed: what is decided about each difference
acceptances.py the pages of a review
receivers.py   the receivers' pages
"""

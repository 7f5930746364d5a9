"""The browser application, in rooms of one feature each.

app.py        create_app: the rooms put together, and the pages for errors
serve.py      serve: the application and the stand-in in one event loop
shell/        what the rooms share: context, sends and runs under way, forms, security, page rendering
compose/      a payload, its fixture and its expectation: edited, checked, sent
log/          the delivery log, live and filtered, and each delivery
runs/         the runs, their results and their files
scenarios/    the scenarios: finding and running them
receivers/    the receivers, their settings and the check of a connection
recording/    the record switch, the relay, and reviews of what was recorded
review/       the differences of a run, accepted or not

A room's `room.py` makes its state, its routes, and the functions that stop it when the process ends. Its
templates and assets have folders of its name. Rooms import only from `shell`, which imports none of them.
"""

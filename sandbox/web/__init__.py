"""The browser's face of the sandbox.

app.py         create_app: the routes, and the pages for errors
serve.py       serve: binds, then runs the application and the stand-in in one event loop
security.py    who may talk to the sandbox, and what its pages may do
desk.py        what the requests of one process share
pages.py       templates, assets, and how values are shown
forms.py       what comes in with a form
sending.py     deliveries under way
compose.py     the page where a payload is composed and sent
deliveries.py  the page of one delivery, and the log
receivers.py   the receivers' pages
"""

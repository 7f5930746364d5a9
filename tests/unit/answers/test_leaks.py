"""What a text gives away of its program, and texts that only look like it."""

from __future__ import annotations

import pytest

from retailops_sandbox.answers import leaks

LEAKS = [
    ("stack-trace", 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\nKeyError: 1'),
    ("stack-trace", 'failed: File "/srv/app/cancel.py", line 88, in cancel'),
    ("stack-trace", "TypeError: x is undefined\n    at cancel (/usr/src/app/cancel.js:12:5)"),
    ("stack-trace", "error at Object.cancel (/usr/src/app/cancel.js:12:5)"),
    ("stack-trace", "java.lang.NullPointerException\n\tat com.shop.Cancel.run(Cancel.java:42)"),
    ("stack-trace", "x at com.shop.Cancel.run(Cancel.java:42)"),
    ("stack-trace", "Object reference not set in C:\\shop\\Cancel.cs:line 17"),
    ("stack-trace", "app/cancel.rb:12:in `cancel': undefined method (NoMethodError)"),
    ("stack-trace", "panic: nil\n\ngoroutine 1 [running]:\nmain.go:12 +0x1d"),
    ("stack-trace", "handler.go:12 +0x1d"),
    ("stack-trace", "#0 /var/www/html/index.php(31): cancel()"),
    ("stack-trace", "Fatal error: Uncaught TypeError: cancel() in /var/www/index.php:3"),
    ("stack-trace", "thread 'main' panicked at src/main.rs:3:5"),
    ("framework-page", "<title>Werkzeug Debugger</title>"),
    ("framework-page", "<h1>Whitelabel Error Page</h1>"),
    ("framework-page", "<h1>Action Controller: Exception caught</h1>"),
    ("sql", "SQLSTATE[42S02]: Base table or view not found"),
    ("sql", "You have an error in your SQL syntax; check the manual"),
    ("sql", 'ERROR: relation "orders" does not exist'),
    ("sql", "duplicate key value violates unique constraint"),
    ("sql", "sqlite3.OperationalError: no such table: orders"),
    ("sql", "UNIQUE constraint failed: orders.refnum"),
    ("sql", "SELECT id FROM orders WHERE refnum = 'A'"),
    ("sql", "INSERT INTO cancels (refnum) VALUES (%s)"),
    ("sql", "UPDATE orders SET state = 'cancelled'"),
    ("sql", "Duplicate entry '496' for key 'orders.PRIMARY'"),
    ("sql", "ORA-00942: table or view does not exist"),
    ("file-path", "cannot open /srv/app/orders.db"),
    ("file-path", "see /var/log/shop/orders.log"),
    ("file-path", "no such file: /app/config/orders.py"),
    ("file-path", "in /home/deploy/shop/cancel.php"),
    ("file-path", "C:\\inetpub\\wwwroot\\shop\\web.config: C:\\inetpub\\shop\\cancel.dll"),
    ("file-path", "/opt/shop/vendor/guzzle/http/Client"),
]


@pytest.mark.parametrize(("kind", "text"), LEAKS)
def test_a_text_gives_something_away(kind: str, text: str):
    found = leaks.find(text)
    assert found is not None
    assert found.kind == kind
    assert found.text


HARMLESS = [
    "",
    "The order has shipped",
    "Cannot POST /order_cancel_v1",
    "Cannot GET /app/index.php",
    "see https://shop.example/srv/app/orders.py",
    "https://shop.example/home/docs/orders.html",
    "/home/garden/chairs",
    "category /data/garden/tools.json?page=2",
    "either/or, and/or, 1/2",
    "size 10/12, model A/B-12.5",
    "Please select an item from the list where you are",
    "We update orders set aside; delete from the basket what you do not want",
    "insert into the slot",
    "no such order: 496",
    "the order does not exist",
    "a constraint of the warehouse: not null",
    "wait at the counter (desk 12:30)",
    "arrives at 12:30:05",
    "panic: none",
    'the file "orders.csv", line items 3',
    "Out of range: the amount is too large",
    "syntax error in line 3 of the JSON",
    "syntax error: unexpected end of input",
    "ratio 3:2, C: drive",
    "A\\B: 12",
    "filed under /etc",
    "in the case of line 3",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_only_looks_like_it(text: str):
    assert leaks.find(text) is None


def test_a_long_text_is_searched_to_its_end():
    found = leaks.find("word " * 10_000 + "SQLSTATE[42000]")
    assert found is not None
    assert found.kind == "sql"

"""What an answer is, told before it is judged by contract and expectation.

Only `coding` is asked about every answer. The others are imported where one is no JSON or has another status,
and `leaks` where a probe reads answers.

content    what a body is: JSON, an HTML page, a stack trace, nothing …
page       the title and the first visible text of an HTML page
trace      stack traces, fatal errors and warnings
leaks      what a text gives away of its program: traces, SQL, file paths, error pages
shapes     forms, YAML and other data that is no JSON
forms      refusals of frameworks that protect forms
encoding   bytes that are not UTF-8: other encodings, compressed bytes, files
status     the hints that fit a status
coding     a Content-Encoding that nobody asked for
"""

"""What a probe found, in words, on a terminal and in files.

words     the words that all of these and the browser share
heatmap   fields and what was done to them, as a table
console   what a terminal or a job's log shows
progress  how far a probe is
html      a page that opens offline
junit     JUnit XML
"""

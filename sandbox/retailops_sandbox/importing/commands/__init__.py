"""Commands that send requests, read and never run.

reading       the requests of a text's commands, whichever shell they are for
command       a command as a shell passes it to a program, and the text around it
shell         the words of a POSIX shell's commands
cmd           the words of cmd.exe's commands
powershell    the statements of PowerShell, with their expressions (powershell_expressions), the values of
              these (powershell_values), and web requests (web_request)
curl          the request of a curl command, by its options (curl_options)
httpie        the request of an HTTPie command, by its options and items (httpie_items)
parts         the parts of a request, collected from options (options)
"""

from retailops_sandbox.importing.commands.reading import looks_like_commands, read

__all__ = ["looks_like_commands", "read"]

"""`python -m retailops_sandbox`: the command line."""

from retailops_sandbox.cli import program

if __name__ == "__main__":
    program()

"""What reports share: lines, JUnit, console, side by side."""

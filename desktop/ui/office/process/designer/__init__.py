"""The designer of processes (mockup 9): a step list with its properties, the diagram beside it, files in and out, trying it out, publishing."""

"""Screens of processes: the flow of a case, acting on a step, the diagram, the desk where work waits, the designer."""

"""Cases: records that pass from person to person by a process. Versions of processes, who has a step, actions, history, time limits, delegation."""

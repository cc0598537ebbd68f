"""Processes: BPMN files read and made safe, run by SpiffWorkflow, drawn and written. Knows no records, no people, no SQL; time is passed in."""

"""Verbs of cases and processes: lists (case_lists.py), one case (case_flow.py), acts (case_acts.py), delegations (case_admin.py), processes (process_admin.py).

Everything this user handles or may read is on this device and works with the cable out; the files of open work are fetched ahead (case_keeping.py).
"""

from desktop.core.services.case_admin import CaseAdmin


class CasesService(CaseAdmin):
    """Cases on this device."""

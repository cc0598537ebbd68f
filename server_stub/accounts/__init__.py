"""Who may come in: people, departments, credentials, devices, sessions, integration tokens, login log.

Writes are `do_` functions over a transaction; `service.Accounts` is the small async shell around them.
"""

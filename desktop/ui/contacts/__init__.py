"""The contacts page: departments, the people in them, and a colleague's card."""

from desktop.ui.contacts.page import ContactsPage, create_contacts

__all__ = ["ContactsPage", "create_contacts"]

"""What stands around a view of records: its filter bar, the bar of many rows, menus; and the tab that is a form."""

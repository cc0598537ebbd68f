"""The tray icon: state, unread badge, flashing, menu."""

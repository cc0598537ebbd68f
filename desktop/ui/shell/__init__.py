"""The frame around the pages: login window, main window, navigation."""

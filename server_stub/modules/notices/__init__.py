"""公告通知: notices for an audience, with levels, read and confirm, withdrawal, pin and expiry."""

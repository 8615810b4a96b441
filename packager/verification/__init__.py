"""Every file decoded again and compared with the source."""

"""The commands of `tell-package`, one file each."""

"""What every test stands on."""

from __future__ import annotations

import signal

# A run in the background inherits an ignored SIGINT (POSIX shell 2.11), and so would every process
# that a test starts: Ctrl-C would press nothing. What is caught here has its default there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

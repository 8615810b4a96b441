"""HTTP: what is asked for, and how the answer looks. No rules of selling live here."""

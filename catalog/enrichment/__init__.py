"""From a purchase to a ticket: the partner is asked until it has answered."""

"""Tests of gateway/commands."""

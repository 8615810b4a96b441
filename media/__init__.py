"""Tracks and renditions, storage, tokens and playlists.

This floor knows nothing of HTTP, purchases or cinemas: it turns published bytes into what a player
can read, and says who may read it.
"""

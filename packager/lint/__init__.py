"""Tell's linter: audio and audio description in HLS and CMAF, from a folder or from any server."""

"""From the sound to the files of the ladder."""

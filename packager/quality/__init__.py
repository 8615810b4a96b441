"""What is wrong with a source, said before anything is encoded."""

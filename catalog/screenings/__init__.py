"""When a film is: the partner's word, the operator's, and how changes come and are kept."""

"""What the pages of every room share: lists whose whole state is in the URL."""

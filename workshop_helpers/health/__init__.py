"""What on a computer keeps a board away, found in what its operating system says."""

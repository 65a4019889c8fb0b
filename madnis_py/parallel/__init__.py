"""Work on several threads, processes and machines, with the same result on any number of them."""

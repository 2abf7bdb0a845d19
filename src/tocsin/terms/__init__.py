"""The vocabulary: frozen types, the tables' contracts, taxonomies, ids, publishers."""

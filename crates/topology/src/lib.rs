//! The operator's topology file: parsed, checked once, then a tree that nothing has to check again.

//! What travels: the terminal's JSON envelope and the link's frames, with their size bounds and the signal table.

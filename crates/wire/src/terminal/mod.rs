//! What a terminal and its node say to each other: JSON text, the original's envelope (reference section 2).

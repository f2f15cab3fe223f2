//! The first words on a link: who is there, in which life, speaking which versions.

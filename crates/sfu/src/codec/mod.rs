//! What a payload says about its frame: key frames, layers, and the numbers that are rewritten.

//! SDP offers and answers (WHIP, WHEP) as ORTC parameters, and back.

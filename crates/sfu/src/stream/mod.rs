//! One stream of packets: what arrived, what is kept, and how it is renumbered for a receiver.

//! What real programs offer, and what they are answered. The offers are as the programs wrote them, with fewer candidates.

mod answer;
mod broken;
mod fragment;
mod offers;
mod play;
mod publish;
mod whole;

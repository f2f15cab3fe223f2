//! One node of the mesh as a pure machine: composes signal and route.

//! Handler crate → the binary that Lambda runs.

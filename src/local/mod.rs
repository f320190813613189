//! `provision dev`: mail in, storage, Runtime API.

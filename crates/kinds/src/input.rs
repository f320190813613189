//! Input of calls beside the settings that are compared.

use std::ops::Deref;

/// Input of a step that drift comparison ignores: two of these are always equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Input<T>(pub T);

impl<T> PartialEq for Input<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Input<T> {}

impl<T> Deref for Input<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

//! Conversion between our settings, whose numbers are not negative, and AWS's SDK, which has signed 32-bit numbers.

/// Returns the number for a call. One that is too large is sent as the largest, which AWS then refuses with its limit.
pub(super) fn wire(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Returns the number of an answer. AWS has no negative sizes, times or counts.
pub(super) fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

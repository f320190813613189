//! Numbers between our settings, which have no negative ones, and AWS's SDK, which has 32-bit ones with a sign.

/// As a call takes it. What is too large for the wire is sent as the largest number, which AWS then refuses with its limit.
pub(super) fn wire(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// As an answer has it. AWS has no negative sizes, times or counts.
pub(super) fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

//! Addresses that only mail servers use.

/// Beginnings of local parts that only mail servers use, without punctuation.
const SERVERS: [&str; 5] = ["mailerdaemon", "postmaster", "maildaemon", "mdaemon", "microsoftexchange"];

/// Returns whether an address is that of a mail server.
pub(super) fn is_server(address: &str) -> bool {
    let local = plain(address.split('@').next().unwrap_or_default().trim_start_matches('<'));
    SERVERS.iter().any(|server| local.starts_with(server))
}

/// Returns the text in lower case, without the punctuation that people write between words.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

//! The proxies that the environment names, as the client chooses among them.

use problem::Problem;

/// Environment variables that name a proxy: for HTTPS, for HTTP, for both. Of a pair the first that is set counts, even if it is empty.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const BOTH: [&str; 2] = ["ALL_PROXY", "all_proxy"];
/// Environment variable of a program that a web server starts, where `HTTP_PROXY` is a header of its client: no proxy is taken then.
const REQUEST: &str = "REQUEST_METHOD";
/// Checks the proxies for addresses of either scheme.
///
/// # Errors
///
/// The client would pass over a proxy in silence, or take it for another one.
pub(crate) fn check_proxies() -> Result<(), Problem> {
    [HTTPS, HTTP].into_iter().try_for_each(|scheme| checked(chosen(scheme, variable)).map(drop))
}

/// Returns the environment variable that names the proxy for addresses that begin with `https:`; `None` if there is no such proxy.
///
/// # Errors
///
/// The client would pass over the proxy in silence, or take it for another one.
pub fn proxy_variable() -> Result<Option<&'static str>, Problem> {
    checked(chosen(HTTPS, variable))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the environment variable that names the proxy for the addresses of a scheme, and its value, as the client chooses them.
fn chosen(scheme: [&'static str; 2], variable: impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    if variable(REQUEST).is_some() {
        return None;
    }
    let first = |pair: [&'static str; 2]| pair.into_iter().find_map(|name| Some((name, variable(name)?)));
    [scheme, BOTH].into_iter().filter_map(first).find(|(_, value)| !value.is_empty())
}

/// Returns the environment variable that was chosen. Fails for a proxy that would be passed over in silence, or taken for another one.
fn checked(chosen: Option<(&'static str, String)>) -> Result<Option<&'static str>, Problem> {
    let Some((name, value)) = chosen else { return Ok(None) };
    match fault_of_proxy(&value) {
        // The value may have a password.
        Some(fault) => Err(Problem::new(format!("Failed to read the proxy that `{name}` names: {fault}"))
            .with_hint("write it as `http://HOST:PORT`, or `http://USER:PASSWORD@HOST:PORT`")),
        None => Ok(Some(name)),
    }
}

fn fault_of_proxy(value: &str) -> Option<&'static str> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Some("its scheme is neither `http` nor `https`; SOCKS is not spoken");
    }
    let after_user = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let authority = after_user.split(['/', '?', '#']).next().unwrap_or_default();
    let parsed = format!("http://{authority}/").parse::<http::Uri>();
    match parsed {
        Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) && !authority.ends_with(':') => None,
        _ => Some("it has no host that can be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_that_the_client_takes_is_chosen() {
        type Row<'row> = (&'row [(&'row str, &'row str)], Option<&'row str>, Option<&'row str>);
        const SOCKS: &str = "socks5://proxy.example:1080";
        let chosen_of = |set: &[(&str, &str)], scheme| {
            let value = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            chosen(scheme, value).map(|(name, _)| name)
        };
        let rows: [Row<'_>; 8] = [
            (&[], None, None),
            (&[("https_proxy", "b"), ("HTTPS_PROXY", "a")], Some("HTTPS_PROXY"), None),
            (&[("HTTPS_PROXY", "a"), ("ALL_PROXY", SOCKS)], Some("HTTPS_PROXY"), Some("ALL_PROXY")),
            (
                &[("HTTPS_PROXY", "a"), ("http_proxy", "a"), ("ALL_PROXY", SOCKS)],
                Some("HTTPS_PROXY"),
                Some("http_proxy"),
            ),
            // An empty one hides the other of its pair, and not the one for both.
            (&[("HTTPS_PROXY", ""), ("https_proxy", "b")], None, None),
            (&[("HTTPS_PROXY", ""), ("all_proxy", "c")], Some("all_proxy"), Some("all_proxy")),
            (&[("ALL_PROXY", ""), ("all_proxy", "c")], None, None),
            (&[("HTTPS_PROXY", "a"), (REQUEST, "GET")], None, None),
        ];
        for (set, https, http) in rows {
            assert_eq!((chosen_of(set, HTTPS), chosen_of(set, HTTP)), (https, http), "{set:?}");
        }
        assert!(checked(Some(("ALL_PROXY", SOCKS.to_owned()))).is_err());
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_not_passed_over() {
        for fine in [
            "http://proxy.example:3128",
            "proxy.example:3128",
            "https://proxy.example",
            "HTTP://10.0.0.1:80/",
            "http://name:pass@word@proxy.example:3128",
            "http://[::1]:3128",
        ] {
            assert_eq!(fault_of_proxy(fine), None, "{fine}");
        }
        for wrong in
            ["socks5://proxy.example:1080", "http://", "http://user@", "http://proxy example:1", "http://proxy:"]
        {
            assert!(fault_of_proxy(wrong).is_some(), "{wrong}");
        }
    }
}
